#!/usr/bin/env bash
# Checks objects for Kubernetes on standard input against their JSON schemas, a line for each fault: eng/helm.sh template ... | eng/validate-manifests.sh
# The first call fetches the schemas from the npm registry, as eng/kubernetes/package-lock.json names them.
set -euo pipefail

packages=$("$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/npm-packages.sh" kubernetes)
exec node "$packages/validate.mjs"
