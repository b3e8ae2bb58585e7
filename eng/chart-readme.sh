#!/usr/bin/env bash
# Prints the README of the chart: its head, helm/dsde/README.head.md, and a row per value, from the comments in values.yaml.
#   eng/chart-readme.sh > helm/dsde/README.md
set -euo pipefail
chart=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")/helm/dsde

cat -- "$chart/README.head.md"
printf '\n| value | default | meaning |\n|---|---|---|\n'
# A value's default is what follows its key. A list or map without a comment of its own below it is one value, and shown in one line.
awk '
  function flush_value() {
    if (path == "") return
    shown = value
    if (shown == "" && body != "") shown = "see values.yaml"
    if (meaning != "" || shown != "") printf "| `%s` | %s | %s |\n", path, (shown == "" ? "" : (shown ~ /^see / ? shown : "`" shown "`")), meaning
    path = ""; value = ""; body = ""; meaning = ""
  }
  /^ *#/ { line = $0; sub(/^ *# ?/, "", line); comment = (comment == "" ? line : comment " " line); next }
  /^ *$/ { comment = ""; next }
  {
    match($0, /^ */); depth = RLENGTH / 2
    if ($0 !~ /^ *[A-Za-z_][A-Za-z0-9_.\/-]*:/ || (opaque != "" && depth > opaque_depth)) { body = body $0; next }
    key = $0; sub(/^ */, "", key); rest = key; sub(/:.*/, "", key); sub(/^[^:]*: */, "", rest)
    flush_value(); opaque = ""
    names[depth] = key; path = key
    for (i = depth - 1; i >= 0; i--) path = names[i] "." path
    value = rest; meaning = comment; comment = ""
    gsub(/\|/, "\\|", meaning)
    if (key == "resources" || key == "metrics") { opaque = key; opaque_depth = depth }
  }
  END { flush_value() }
' "$chart/values.yaml"
