#!/bin/bash
# program.sh NAME: prints the path of a registry, client or cache that the tests run, building it into the user's cache when it
# is not there. Its version, and the checksum of everything it is made of, are in the folder tools/NAME. Needs go on PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries/programs

name=${1-}
if [[ -z $name || $name == */* || ! -f $here/tools/$name/go.mod ]]; then
  echo "program.sh: '$name' is not one of the programs that the tests know: $(cd "$here/tools" && echo *)" >&2
  exit 2
fi
mod=$here/tools/$name/go.mod

# A package of another module, or else the one in the folder.
package=$(sed -n 's/^tool //p' "$mod")
# The program's module is the longest one that the package's path begins with, or else the only one that the folder's
# package names; its line says the version.
version=$(sed 's/^require //' "$mod" | awk -v package="$package" '
  $1 ~ "/" && (package == "" ? !/indirect/ : index(package "/", $1 "/") == 1) && length($1) > longest {
    longest = length($1); version = $2
  }
  END { print version }')
program=$cache/$name-$version/$name
if [[ -x $program ]]; then
  echo "$program"
  exit 0
fi

echo "program.sh: building $name $version" >&2
mkdir -p "${program%/*}"
scratch=$(mktemp -d "$cache/.build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# What is built may ask for a Go version of its own; the one at hand has to do.
(cd "$here/tools/$name" && GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS='' go build -trimpath -buildvcs=false -ldflags='-s -w' \
  -o "$scratch/$name" "${package:-.}") >&2
mv "$scratch/$name" "$program"
echo "$program"
