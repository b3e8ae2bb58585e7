#!/usr/bin/env bash
# Builds the solution and runs every test in it. The last line is "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")"

if [ "${1:-}" = "--help" ]; then
  echo "usage: ./test.sh [--filter EXPRESSION]"
  echo "Builds Dsde.sln and runs all its tests; arguments go to 'dotnet test'. Needs the .NET SDK that global.json names."
  exit 0
fi

if ! command -v dotnet >/dev/null; then
  echo "test.sh: 'dotnet' is not on the PATH. Install the .NET 10 SDK (https://dotnet.microsoft.com/download), then run this again." >&2
  exit 2
fi

results=artifacts/test-results
rm -rf "$results"
status=0
dotnet build Dsde.sln --nologo -v quiet
dotnet test Dsde.sln --no-build --nologo --logger trx --results-directory "$results" "$@" || status=$?

# Sums the counters of all result files.
count() { grep -ohE "<Counters [^>]*" "$results"/*.trx 2>/dev/null | grep -oE " $1=\"[0-9]+\"" | grep -oE '[0-9]+' | awk '{ sum += $1 } END { print sum + 0 }'; }
total=$(count total)
passed=$(count passed)
executed=$(count executed)
failed=$((executed - passed))
[ "$total" -gt 0 ] && [ "$failed" -eq 0 ] || status=1
echo "$passed passed, $failed failed, $((total - executed)) skipped"
exit "$status"
