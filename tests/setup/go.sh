#!/bin/bash
# go.sh: prints the path of a Go that is new enough, fetching one into the user's cache when the machine has none.
# The fetched one is a Go module, so it comes from whatever GOPROXY says and is checked against GOSUMDB.
set -euo pipefail

needed=26     # minor version of Go 1; the checkers named in tools.mod ask for it
fetched=1.26.8

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries/go$fetched
export GOTOOLCHAIN=local

new_enough() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= needed))
}

old=
for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$cache/bin/go"; do
  [[ -x $candidate ]] || continue
  if new_enough "$candidate"; then
    echo "$candidate"
    exit 0
  fi
  old=$candidate
done

case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=linux-amd64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  *)
    echo "go.sh: install Go 1.$needed or newer by hand: none is known for $(uname -s) on $(uname -m)" >&2
    exit 1
    ;;
esac

if [[ -z $old ]]; then
  "$here/debian.sh" golang-go ca-certificates
  old=$(command -v go)
fi

echo "go.sh: fetching Go $fetched with $("$old" version)" >&2
mkdir -p "$(dirname "$cache")"
scratch=$(mktemp -d "$cache.XXXXXX")
trap 'chmod -R u+w "$scratch" && rm -rf "$scratch"' EXIT

# In a folder of its own: an old Go must not see the project's go.mod, which it does not understand.
module=golang.org/toolchain@v0.0.1-go$fetched.$platform
if ! (cd "$scratch" && GOFLAGS=-modcacherw GOMODCACHE=$scratch/modules "$old" mod download "$module") >&2; then
  echo "go.sh: could not fetch $module: install Go 1.$needed or newer, or set GOPROXY to a proxy that has it" >&2
  exit 1
fi

# A module can hold neither go.mod files nor executable bits, so the toolchain's come in disguise.
tree=$scratch/modules/$module
find "$tree" -name _go.mod -execdir mv {} go.mod \;
find "$tree/bin" "$tree/pkg/tool" -type f -exec chmod +x {} +

# Whoever comes second finds the place taken and uses what is there.
mv -T "$tree" "$cache" 2>/dev/null || true
new_enough "$cache/bin/go" || {
  echo "go.sh: $cache/bin/go does not work: remove that folder and try again" >&2
  exit 1
}
echo "$cache/bin/go"
