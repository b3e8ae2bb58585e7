#!/usr/bin/env bash
# Checks an AsyncAPI document with AsyncAPI's own parser, a line for each fault: eng/validate-asyncapi.sh docs/asyncapi.yaml
# The first call fetches the parser from the npm registry, as eng/asyncapi/package-lock.json names it.
set -euo pipefail

[[ $# -eq 1 ]] || { echo "usage: validate-asyncapi.sh FILE" >&2; exit 2; }
packages=$("$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/npm-packages.sh" asyncapi)
exec node "$packages/validate.mjs" "$1"
