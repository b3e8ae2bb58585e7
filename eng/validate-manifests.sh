#!/usr/bin/env bash
# Checks objects for Kubernetes on standard input against their JSON schemas, a line for each fault: eng/helm.sh template ... | eng/validate-manifests.sh
# The first call fetches the schemas from the npm registry, as eng/kubernetes/package-lock.json names them, and keeps them in artifacts/tools.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
sources=$root/eng/kubernetes
tools=$root/artifacts/tools
schemas=$tools/kubernetes-$(sha256sum "$sources/package-lock.json" | cut -c1-12)

fail() { printf 'validate-manifests.sh: %s\n' "$1" >&2; exit 2; }

install_schemas() {
  local folder
  command -v npm >/dev/null || fail "'npm' is missing, which fetching the schemas takes; install the package 'npm' (./test.sh does)."
  folder=$(mktemp -d "$tools/fetched.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf -- '$folder'" EXIT
  cp "$sources/package.json" "$sources/package-lock.json" "$folder"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=2 --fetch-timeout=60000) >"$folder/npm.log" 2>&1 \
    || fail "the schemas could not be fetched: 'npm ci' failed. Is the npm registry reachable ($(npm config get registry))? npm said: $(grep -vE '    at |complete log' "$folder/npm.log" | head -c 500 | tr '\n' ' ')"
  mv "$folder" "$schemas" # at once whole, for those who look without the lock
  trap - EXIT
}

if [[ ! -d $schemas ]]; then
  mkdir -p "$tools"
  command -v flock >/dev/null || fail "'flock' is missing; install the package 'util-linux'."
  (
    flock 9
    if [[ ! -d $schemas ]]; then install_schemas; fi
  ) 9>"$tools/kubernetes.lock"
fi

cp -u "$sources/validate.mjs" "$schemas/validate.mjs" # modules are looked up from where the script lies
exec node "$schemas/validate.mjs"
