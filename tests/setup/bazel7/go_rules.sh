#!/bin/bash
# go_rules.sh FOLDER: puts rules_go and gazelle, which Debian does not have, into FOLDER out of their Go modules, and prints
# the settings that make a Bazel 7 without network use them. Versions are those of the checkout's MODULE.bazel. May be run
# again. Needs go on PATH.
set -euo pipefail

folder=${1:?usage: go_rules.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module_file=$here/../../../MODULE.bazel

version() { # NAME of a bazel_dep
  sed -nE "s/^bazel_dep\(name = \"$1\", version = \"([^\"]*)\".*/v\1/p" "$module_file"
}
rules_go=$(version rules_go)
gazelle=$(version gazelle)
if [[ -z $rules_go || -z $gazelle ]]; then
  echo "bazel7/go_rules.sh: found no version of rules_go or gazelle in MODULE.bazel" >&2
  exit 1
fi

# Copies a Go module. What a module archive leaves out is put back: the run bits of scripts.
copy() { # MODULE VERSION DESTINATION
  local source
  source=$(cd / && GOFLAGS=-mod=mod GO111MODULE=on go mod download -json "$1@$2" | sed -nE 's/^\s*"Dir": "(.*)",$/\1/p')
  [[ -d $source ]] || {
    echo "bazel7/go_rules.sh: cannot get the Go module $1 $2" >&2
    exit 1
  }
  cp -r "$source" "$3"
  chmod -R u+w "$3"
  find "$3" -name '*.sh' -exec chmod +x {} +
}

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
making=$(sha256sum <"${BASH_SOURCE[0]}")$rules_go$gazelle
if [[ ! -e $folder/complete || $(<"$folder/complete") != "$making" ]]; then
  new=$folder.new
  rm -rf "$new"
  mkdir -p "$new"
  trap 'rm -rf "$new"' EXIT
  copy github.com/bazelbuild/rules_go "$rules_go" "$new/rules_go"
  copy github.com/bazelbuild/bazel-gazelle "$gazelle" "$new/gazelle"
  # Bazel compiles gazelle without modules, from the vendor folder that its archive lacks. Its tests name packages of nobody.
  rm -rf "$new/gazelle/tests"
  (cd "$new/gazelle" && GOFLAGS='' GOWORK=off go mod vendor -e)

  # Names the licence of a Go module, for tools that ask; nothing here does.
  metadata=$new/package_metadata
  mkdir -p "$metadata/rules"
  echo 'module(name = "package_metadata")' >"$metadata/MODULE.bazel"
  touch "$metadata/BUILD.bazel" "$metadata/rules/BUILD.bazel"
  cat >"$metadata/rules/package_metadata.bzl" <<'BZL'
def package_metadata(name, visibility = None, **_kwargs):
    native.filegroup(name = name, applicable_licenses = [], visibility = visibility)
BZL
  rm -rf "$folder"
  mv "$new" "$folder"
  echo "$making" >"$folder/complete"
fi
for module in gazelle package_metadata rules_go; do
  echo "common --override_module=$module=$folder/$module"
done
