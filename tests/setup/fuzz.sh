#!/bin/bash
# fuzz.sh TIME: runs every fuzz target of the module for that long, two at a time for each processor. Needs go on PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if (($# != 1)); then
  echo "usage: fuzz.sh TIME, such as 30s" >&2
  exit 2
fi

targets=$(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed -E 's|^(.*)/[^/]+:[0-9]+:func (Fuzz.*)$|\1 \2|' | sort)
if [[ -z $targets ]]; then
  echo "fuzz.sh: found no fuzz target" >&2
  exit 1
fi

# Minimising an input that is merely interesting would take most of the time.
fuzz() {
  local output
  if output=$(go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 10x -parallel 1 2>&1); then
    echo "$2: $(tail -n 1 <<<"$output")"
  else
    echo "$output"
    return 1
  fi
}
export -f fuzz
xargs -P "$((2 * $(nproc)))" -L 1 bash -c 'fuzz "$1" "$2" "$0"' "$1" <<<"$targets"
