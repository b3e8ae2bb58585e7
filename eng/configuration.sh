#!/usr/bin/env bash
# Writes the tables of settings in docs/configuration.md anew, from the comments of the options in the sources.
#   eng/configuration.sh
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
page=$root/docs/configuration.md
parts=$(mktemp -d)
trap 'rm -rf -- "$parts"' EXIT

"$root/dsde" settings --markdown >"$parts/tables"
awk -v tables="$parts/tables" '
  /^<!-- \/settings -->$/ { print ""; while ((getline line < tables) > 0) print line; print ""; within = 0 }
  !within { print }
  /^<!-- settings -->$/ { within = 1 }
' "$page" >"$parts/page"
cp -- "$parts/page" "$page"
