#!/usr/bin/env bash
# Prints the folder that has the npm packages of eng/NAME/package-lock.json, with the program beside it: npm-packages.sh NAME. The first call fetches them from
# the npm registry and keeps them in artifacts/tools.
set -euo pipefail

name=${1:?npm-packages.sh needs the name of a folder in eng}
root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
sources=$root/eng/$name
tools=$root/artifacts/tools
packages=$tools/$name-$(sha256sum "$sources/package-lock.json" | cut -c1-12)

fail() { printf 'npm-packages.sh: %s\n' "$1" >&2; exit 2; }

install_packages() {
  local folder
  command -v npm >/dev/null || fail "'npm' is missing, which fetching the packages of eng/$name takes; install the package 'npm' (./test.sh does)."
  folder=$(mktemp -d "$tools/fetched.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf -- '$folder'" EXIT
  cp "$sources/package.json" "$sources/package-lock.json" "$folder"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=2 --fetch-retry-mintimeout=500 --fetch-retry-factor=2 --fetch-timeout=60000) >"$folder/npm.log" 2>&1 \
    || fail "the packages of eng/$name could not be fetched: 'npm ci' failed. Is the npm registry reachable ($(npm config get registry))? npm said: $(grep -vE '    at |complete log' "$folder/npm.log" | head -c 500 | tr '\n' ' ')"
  mv "$folder" "$packages" # at once whole, for those who look without the lock
  trap - EXIT
}

if [[ ! -d $packages ]]; then
  mkdir -p "$tools"
  command -v flock >/dev/null || fail "'flock' is missing; install the package 'util-linux'."
  (
    flock 9
    if [[ ! -d $packages ]]; then install_packages; fi # not "||", within which a failing command would end nothing
  ) 9>"$tools/$name.lock"
fi

cp -u "$sources"/*.mjs "$packages" # modules are looked up from where the program lies
printf '%s\n' "$packages"
