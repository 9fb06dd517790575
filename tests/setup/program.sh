#!/bin/bash
# program.sh NAME: prints the path of a registry, client or cache that the tests run, building it into the user's cache when it
# is not there. Its version, and the checksum of everything it is made of, are in tools/NAME.mod and .sum. Needs go on PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries/programs

name=${1-}
if [[ -z $name || $name == */* || ! -f $here/tools/$name.mod ]]; then
  echo "program.sh: '$name' is not one of the programs that the tests know: $(cd "$here/tools" && echo *.mod | sed 's/\.mod//g')" >&2
  exit 2
fi
mod=$here/tools/$name.mod

package=$(sed -n 's/^tool //p' "$mod")
# The module is the longest one that the package's path begins with; its line says the version.
version=$(awk -v package="$package" '
  $1 ~ "/" && index(package "/", $1 "/") == 1 && length($1) > longest { longest = length($1); version = $2 }
  END { print version }' "$mod")
program=$cache/$name-$version/$name
if [[ -x $program ]]; then
  echo "$program"
  exit 0
fi

echo "program.sh: building $package $version" >&2
mkdir -p "${program%/*}"
scratch=$(mktemp -d "$cache/.build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# What is built may ask for a Go version of its own; the one at hand has to do.
(cd "$here" && GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='' go build -modfile="$mod" -trimpath -buildvcs=false -ldflags='-s -w' \
  -o "$scratch/$name" "$package") >&2
mv "$scratch/$name" "$program"
echo "$program"
