#!/bin/bash
# collect-digests.sh FOLDER: keeps the digests of what was pushed last, since building for another processor replaces them.
set -euo pipefail

folder=${1:?names no folder}
mkdir -p "$folder"
while IFS= read -r -d '' file; do
  cp --parents "$file" "$folder"
done < <(find bazel-bin/ -name '*.digest' -print0)
