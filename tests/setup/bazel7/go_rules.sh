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
  # What gazelle fetches Go modules with, it compiles in each output base anew, the standard library included. Compiled here,
  # it takes the machine's build cache. It fetches sources only, whose sums are checked; Bazel compiles them.
  tools=$new/go_repository_tools
  mkdir -p "$tools/bin"
  touch "$tools/WORKSPACE" "$tools/ROOT"
  echo 'exports_files(["ROOT"] + glob(["bin/*"]))' >"$tools/BUILD.bazel"
  (cd "$new/gazelle" && GOFLAGS='' GOWORK=off CGO_ENABLED=0 go build -mod=vendor -trimpath -buildvcs=false -ldflags='-s -w' \
    -o "$tools/bin/" ./cmd/fetch_repo ./cmd/gazelle ./cmd/generate_repo_config)

  rm -rf "$folder"
  mv "$new" "$folder"
  echo "$making" >"$folder/complete"
fi
for module in gazelle package_metadata rules_go; do
  echo "common --override_module=$module=$folder/$module"
done
# By the names that they have in a WORKSPACE, and the tools by that of gazelle's extension, too.
while read -r repository part; do
  echo "common --override_repository=$repository=$folder/$part"
done <<LIST
io_bazel_rules_go rules_go
bazel_gazelle gazelle
package_metadata package_metadata
bazel_gazelle_go_repository_tools go_repository_tools
gazelle~~non_module_deps~bazel_gazelle_go_repository_tools go_repository_tools
LIST
