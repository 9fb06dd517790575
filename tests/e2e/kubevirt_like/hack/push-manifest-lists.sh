#!/bin/bash
# push-manifest-lists.sh PREFIX TAG NAME...: pushes PREFIXNAME:TAG, a list of the images for each processor, by the digests
# in digests/ARCHITECTURE. CRANE names crane.
set -euo pipefail

prefix=$1 tag=$2
for name in "${@:3}"; do
  images=()
  for folder in digests/*; do
    images+=(-m "$prefix$name@$(<"$folder/bazel-bin/push-$name.digest")")
  done
  "$CRANE" --insecure index append "${images[@]}" -t "$prefix$name:$tag"
done
