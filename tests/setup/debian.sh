#!/bin/bash
# debian.sh PACKAGE...: installs those Debian packages that are missing. Needs root only when there are any.
set -euo pipefail

if (($# == 0)); then
  echo "usage: debian.sh PACKAGE..." >&2
  exit 2
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "debian.sh: this is no Debian; install what corresponds to: $*" >&2
  exit 1
fi

missing=()
for package in "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

if ((EUID != 0)); then
  echo "debian.sh: not root, so run first: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
install() {
  apt-get install --yes --quiet --no-install-recommends "${missing[@]}" </dev/null >&2
}
# The lists of a machine that has just been made are absent, those of an old one name packages that are gone.
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 || ! install; then
  apt-get update --quiet </dev/null >&2
  install || {
    echo "debian.sh: apt-get could not install ${missing[*]} (see above)" >&2
    exit 1
  }
fi
