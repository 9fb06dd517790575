#!/bin/bash
# docker.sh: prints the folder with dockerd and what it runs: the machine's own, or Debian's packages, unpacked into the
# user's cache and not installed, so that no daemon comes up and the machine stays as it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries
tree=$cache/docker
programs=(docker dockerd containerd containerd-shim-runc-v2 runc)

# Succeeds when a folder has all of the programs.
complete() {
  local program
  for program in "${programs[@]}"; do
    [[ -x $1/$program ]] || return 1
  done
}

if own=$(command -v dockerd) && complete "${own%/*}"; then
  echo "${own%/*}"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$tree.lock"
flock 9
if complete "$tree"; then
  echo "$tree"
  exit 0
fi

"$here/debian.sh" libdevmapper1.02.1 libseccomp2 libsystemd0 # what the programs are linked with
scratch=$(mktemp -d "$cache/.docker.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
download() {
  (cd "$scratch" && apt-get download --quiet docker.io containerd runc </dev/null >&2)
}
# The lists of an old machine name packages that are gone.
if ! download; then
  ((EUID == 0)) && apt-get update --quiet </dev/null >&2
  download || {
    echo "docker.sh: apt-get could not download docker.io (see above); install docker, or try again" >&2
    exit 1
  }
fi
for package in "$scratch"/*.deb; do
  dpkg-deb --extract "$package" "$scratch/root"
done
mkdir "$scratch/programs"
for program in "${programs[@]}"; do
  found=$(find "$scratch/root/usr/bin" "$scratch/root/usr/sbin" -name "$program" -type f -executable -print -quit)
  [[ -n $found ]] || {
    echo "docker.sh: Debian's packages have no $program" >&2
    exit 1
  }
  mv "$found" "$scratch/programs/"
done
"$scratch/programs/dockerd" --version >&2
rm -rf "$tree"
mv "$scratch/programs" "$tree"
echo "$tree"
