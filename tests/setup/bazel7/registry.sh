#!/bin/bash
# registry.sh TREE FOLDER: makes a module registry in TREE/FOLDER out of the packages in TREE, and prints the settings
# that make Bazel use it and what Debian has of the repositories that Bazel would download. FOLDER is absolute, as Bazel
# sees it. With this, Bazel 7 needs no network, neither in Bzlmod nor in WORKSPACE mode.
set -euo pipefail

tree=$1
folder=$2
sources=/usr/share/bazel # Debian's place for all of this

rm -rf "${tree:?}$folder"
mkdir -p "$tree$folder"
echo '{"module_base_path": "."}' >"$tree$folder/bazel_registry.json"
echo "# Made by registry.sh."
echo "common --registry=file://$folder"
echo "common --lockfile_mode=off" # it would hold paths of this tree

# Modules that Bazel's own tools name, but that no build here uses: empty ones. An override is right for these, since
# they are part of every build; Debian's settings override the others.
for module in apple_support buildozer protobuf zlib; do
  mkdir -p "$tree$folder/empty/$module"
  echo "module(name = \"$module\")" >"$tree$folder/empty/$module/MODULE.bazel"
  : >"$tree$folder/empty/$module/BUILD.bazel"
  echo "common --override_module=$module=$folder/empty/$module"
done

# Offers a module of Debian's under every version that somebody is likely to ask for. Bazel refuses an override for a
# module that is not part of the build, so these cannot be overridden.
offer() { # MODULE PATH VERSION...
  local module=$1 path=$2 version entry
  shift 2
  [[ -e $tree$path/MODULE.bazel ]] || return 0
  for version; do
    entry=$tree$folder/modules/$module/$version
    mkdir -p "$entry"
    # The module's own file, with another version in its module().
    sed -E "/^module\(/,/\)/ s/version = \"[^\"]*\"/version = \"$version\"/" "$tree$path/MODULE.bazel" >"$entry/MODULE.bazel"
    printf '{"type": "local_path", "path": "%s"}\n' "$path" >"$entry/source.json"
  done
}
offer rules_shell $sources/rules/shell 0.2.0 0.3.0 0.4.0 0.4.1 0.5.0 0.6.1

# Repositories that WORKSPACE mode would download.
while read -r repository path; do
  if [[ -e $tree$sources/$path ]]; then
    echo "common --override_repository=$repository=$sources/$path"
  fi
done <<LIST
bazel_features tools/features
bazel_skylib tools/skylib
platforms tools/platforms
rules_cc rules/cc
rules_java rules/java
rules_license rules/license
rules_proto rules/proto
rules_python rules/python
rules_shell rules/shell
LIST
