#!/bin/bash
# lint.sh: checks the form of Go, Starlark and shell files. The checkers' versions are in tools.mod. Needs go on PATH.
# With --fix, formats Go and Starlark files instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Everything that is not ignored, whether committed yet or not; without git, everything.
files() {
  if [[ -e .git ]]; then
    git ls-files -z --cached --others --exclude-standard
  else
    find . -type f -printf '%P\0'
  fi
}

go_files=() bazel_files=() shell_files=()
while IFS= read -r -d '' file; do
  [[ -f $file ]] || continue # deleted, but not yet from the index
  case /$file in
    *.go) go_files+=("$file") ;;
    *.bzl | */BUILD | */BUILD.bazel | */WORKSPACE | */WORKSPACE.bazel | */MODULE.bazel) bazel_files+=("$file") ;;
    *.sh | */.ci/run) shell_files+=("$file") ;;
  esac
done < <(files)
if ((${#go_files[@]} == 0 || ${#bazel_files[@]} == 0 || ${#shell_files[@]} == 0)); then
  echo "lint.sh: found no files to check (does git ls-files work here?)" >&2
  exit 1
fi

tool() {
  go tool -modfile=tests/setup/tools.mod "$@"
}

if [[ ${1-} == --fix ]]; then
  gofmt -w "${go_files[@]}"
  tests/setup/gazelle.sh --fix
  tool buildifier -mode=fix -lint=off "${bazel_files[@]}"
  exit 0
fi

# Prose is judged by readers; //contrib may load what is private to //container; the rules of languages that Bazel 4 has built in cannot be loaded from elsewhere there.
warnings=-module-docstring,-function-docstring,-function-docstring-header,-function-docstring-args
warnings+=,-function-docstring-return,-bzl-visibility,-native-cc,-native-java,-native-py,-native-proto,-native-sh-binary,-native-sh-library,-native-sh-test

failed=()

unformatted=$(gofmt -l "${go_files[@]}") || failed+=(gofmt)
if [[ -n $unformatted ]]; then
  echo "not formatted, run make fmt:" "$unformatted" >&2
  failed+=(gofmt)
fi
go vet ./... || failed+=("go vet")
# What is compiled for it is what the release archive is made of, if the flags are the same.
for platform in darwin/arm64 windows/amd64; do
  GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 go vet -trimpath ./container/... || failed+=("go vet for $platform")
done
tool staticcheck ./... || failed+=(staticcheck)
tool buildifier -mode=check -lint=warn -warnings="$warnings" "${bazel_files[@]}" || failed+=(buildifier)
tests/setup/gazelle.sh || failed+=(gazelle)
for file in "${shell_files[@]}"; do
  bash -n "$file" || failed+=("bash -n")
done
shellcheck --severity=warning "${shell_files[@]}" || failed+=(shellcheck)

if ((${#failed[@]})); then
  echo "lint: failed:" "${failed[@]}" >&2
  exit 1
fi
