#!/bin/bash
# tree.sh TREE: unpacks Debian's Bazel 7 and what it runs on into the folder TREE, for enter.sh to run.
# Debian 12 has Bazel 4 only, and the packages of later releases need a C library that it lacks: hence a tree with
# everything in it. Of the host only apt and dpkg-deb are used, its packages stay as they are, and no package's own
# scripts are run. May be run again: a tree that is complete and of the same making is left alone.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

tree=${1:?usage: tree.sh TREE}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

suites=(forky sid) # the first that has a Bazel 7
packages=(
  bazel-bootstrap bazel-rules-shell
  default-jre-headless gcc g++ libc6-dev
  base-files base-passwd bash coreutils dash debianutils diffutils findutils gawk grep sed
  gzip bzip2 xz-utils tar zip unzip patch git hostname libc-bin mount procps python3 util-linux
)
absent=(build-essential default-jdk-headless) # bazel-bootstrap names them; nothing here compiles Java

fail() {
  echo "bazel7/tree.sh: $*" >&2
  exit 1
}
((EUID == 0)) || fail "needs root, to change the root directory; or install bazelisk, which needs none of this"
[[ $(uname -m) == x86_64 ]] || fail "made for x86_64 only; install bazelisk instead"

mkdir -p "$(dirname "$tree")"
exec 9>"$tree.lock"
flock 9
making=$(cat "$here/tree.sh" "$here/registry.sh" | sha256sum)
if [[ -e $tree/complete && $(<"$tree/complete") == "$making" ]]; then
  exit 0
fi

new=$tree.new
apt=$tree.apt
rm -rf "$new" "$apt"
trap 'rm -rf "$new" "$apt"' EXIT

# The archive that the host's own packages come from.
archive() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1
}
mirror=$(archive || true)
if [[ -z $mirror ]]; then
  apt-get update --quiet </dev/null >&2 || true
  mirror=$(archive || true)
fi
[[ -n $mirror ]] || fail "the host's apt configuration names no Debian archive"

# apt with lists, cache and state of its own, so that it sees a machine with nothing installed.
own_apt() {
  local command=$1
  shift
  "$command" --quiet \
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" \
    -o Dir::State::extended_states="$apt/extended_states" \
    -o Dir::Cache="$apt/cache" -o Dir::Cache::archives="$apt/archives" -o Dir::Log="$apt" \
    -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Install-Recommends=false \
    -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success= -o DPkg::Post-Invoke= \
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=5 -o Debug::NoLocking=true "$@"
}

# Downloads all packages from a suite; says why if it cannot.
download() {
  local suite=$1 version package
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/cache"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
  for package in "${absent[@]}"; do
    printf '%s\n' "Package: $package" "Status: install ok installed" "Maintainer: none <none@localhost>" \
      "Architecture: all" "Multi-Arch: foreign" "Version: 99:1" "Description: not needed" ""
  done >"$apt/status"
  own_apt apt-get -o APT::Update::Error-Mode=any update >"$apt/log" 2>&1 || {
    tail -n 5 "$apt/log" >&2
    return 1
  }
  version=$(own_apt apt-cache show --no-all-versions bazel-bootstrap 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
  if [[ $version != 7.* ]]; then
    echo "bazel7/tree.sh: $suite has bazel-bootstrap ${version:-not at all}, not 7" >&2
    return 1
  fi
  own_apt apt-get --yes install --download-only "${packages[@]}" >"$apt/log" 2>&1 </dev/null || {
    tail -n 15 "$apt/log" >&2
    return 1
  }
  echo "bazel7/tree.sh: unpacking bazel-bootstrap $version of Debian $suite" >&2
}
found=
for suite in "${suites[@]}"; do
  if download "$suite"; then
    found=$suite
    break
  fi
done
[[ -n $found ]] || fail "none of ${suites[*]} gave a Bazel 7 (see above)"

for folder in bin sbin lib lib64; do
  mkdir -p "$new/usr/$folder"
  ln -s "usr/$folder" "$new/$folder"
done
unpack='set -o pipefail; dpkg-deb --fsys-tarfile "$2" | tar -x -C "$1" --keep-directory-symlink --no-same-owner \
  --exclude="./usr/share/doc/*" --exclude="./usr/share/man/*" --exclude="./usr/share/locale/*" || exit 255'
printf '%s\0' "$apt"/archives/*.deb | xargs -0 -n 1 -P "$(nproc)" bash -c "$unpack" unpack "$new"

# What the packages' own scripts would have made of it, as far as it is needed.
ln -sf gawk "$new/usr/bin/awk"
ln -sf which.debianutils "$new/usr/bin/which"
ln -sf gcc "$new/usr/bin/cc"
ln -sf g++ "$new/usr/bin/c++"
ln -sf ../lib/jvm/default-java/bin/java "$new/usr/bin/java"
mkdir -p "$new"/{dev,proc,sys,tmp,run,root,home,var/tmp,etc/ssl,usr/local}
cp /etc/passwd /etc/group "$new/etc/"
chroot "$new" /sbin/ldconfig

# Without this, the server takes itself for an unreleased development version: native.bazel_version is "".
label=$(<"$new/usr/share/bazel/build-label.txt")
printf 'build.label=%s\nbuild.timestamp=0\nbuild.timestamp.as.int=0\n' "$label" >"$new/usr/share/bazel/build-data.properties"
chroot "$new" /bin/sh -c 'cd /usr/share/bazel && unzip -l A-server.jar | grep -q build-data.properties || zip -q A-server.jar build-data.properties'

# Debian's settings go on to read /etc/bazel.bazelrc. Two of them are not wanted: every sandbox left behind for
# whoever wants to look into it, and a Java that is not there.
sed -i '/sandbox_debug/d; /host_javabase/d' "$new/etc/bazel/bazelrc"
"$here/registry.sh" "$new" /usr/share/bazel/offline >"$new/etc/bazel.bazelrc"

rm -rf "$tree"
mv "$new" "$tree"
said=$(cd / && "$here/enter.sh" "$tree" /usr/bin/bazel --version)
[[ $said == "bazel 7."* ]] || fail "$tree does not work: it says '$said'"
echo "$making" >"$tree/complete"
echo "bazel7/tree.sh: $said in $tree, $(du -sh "$tree" | cut -f 1)" >&2
