#!/bin/bash
# go_rules.sh: prints the path of a file with settings for the Bazel of `bazel.sh 7` where it builds Go: caches, the
# settings of the machine's Go, and where Debian's Bazel finds rules_go and gazelle; any other one fetches them. Needs go
# on PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries/bazel

launcher=$("$here/bazel.sh" 7)
mkdir -p "$cache"
settings=$(mktemp "$cache/.settings.XXXXXX")
{
  echo "# Made by go_rules.sh."
  # Modules that `go build` has fetched are not fetched again.
  echo "common --repo_env=GO_REPOSITORY_USE_HOST_CACHE=1"
  for variable in GOCACHE GOMODCACHE GOPATH GOPROXY GONOPROXY GOSUMDB GONOSUMDB GOPRIVATE GOINSECURE; do
    value=$(go env "$variable")
    [[ -z $value ]] || echo "common --repo_env=$variable=$value"
  done
  # There are a thousand of these, they name all that they read, and a sandbox costs more than most of them.
  for action in GoCompilePkg GoCompilePkgExternal GoLink GoToolchainBinaryBuild; do
    echo "build --strategy=$action=local"
  done
  # Go's own library and rules_go's compiler driver take longer than all the rest. Those two, and no package, program, layer or
  # test, come from a cache that workspaces share; and the library, which is the same in all configurations, is compiled once
  # for them. That takes paths without the configuration, which takes a sandbox.
  echo "build --disk_cache=$cache/go_library --experimental_disk_cache_gc_max_size=1G"
  echo "build --experimental_output_paths=strip"
  echo 'build --modify_execution_info=(?!GoStdlib$).*=-supports-path-mapping,(?!GoStdlib$|GoToolchainBinaryBuild$).*=+no-cache'
  if grep -qF bazel7/enter.sh "$launcher"; then
    "$here/bazel7/go_rules.sh" "$cache/go_rules"
  fi
} >"$settings"
mv "$settings" "$cache/go_rules.bazelrc"
echo "$cache/go_rules.bazelrc"
