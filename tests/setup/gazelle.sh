#!/bin/bash
# gazelle.sh [--fix]: checks that gazelle would change nothing: the BUILD files of the Go packages, and the list of Go
# modules for WORKSPACE users. With --fix it makes them anew. Needs go on PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

modules=repositories/go_modules.bzl
gazelle=$(tests/setup/program.sh gazelle)

# What go.mod and go.sum say, and what the list says: path, version and sum of each module. rules_go brings itself.
wanted() {
  awk 'NR == FNR { if (/^\t/) version[$1] = $2; next } version[$1] == $2 { print $1, $2, $3 }' go.mod go.sum |
    grep -v '^github.com/bazelbuild/rules_go ' | sort
}
listed() {
  awk -F '"' '/importpath =/ { path = $2 } /sum =/ { sum = $2 } /version =/ { print path, $2, sum }' "$modules" | sort
}

# Makes the list. gazelle names all modules that a module's module names, needed or not, and fetches them for that: what is
# needed is in go.mod. The rule becomes a parameter, since whoever loads this file may not have gazelle. Each repository is told
# where this list is, else it would ask the network which module a package is of.
list() {
  local scratch
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' RETURN
  cp go.mod go.sum "$scratch"
  touch "$scratch/WORKSPACE"
  "$gazelle" update-repos -repo_root="$scratch" -from_file="$scratch/go.mod" -to_macro=modules.bzl%go_modules >&2
  cat <<'BZL'
"""The Go modules that the programs are made of: what gazelle makes of go.mod. Written by `make fmt`."""

# It names this list, by which gazelle knows which repository a package is in.
_CONFIG = Label("//:WORKSPACE")

def go_modules(go_repository):
    """Declares a repository for each Go module.

    Args:
      go_repository: the rule of that name of gazelle's deps.bzl.
    """
BZL
  wanted | awk '
    NR == FNR { wanted[$1]; next }
    /^    go_repository\(/ { block = ""; keep = 0; inside = 1 }
    inside && /importpath =/ { block = block "        build_config = _CONFIG,\n" }
    inside { block = block $0 "\n"; split($0, part, "\""); if (/importpath =/ && part[2] in wanted) keep = 1 }
    /^    \)/ { if (keep) printf "%s", block; inside = 0 }
  ' - "$scratch/modules.bzl"
}

if [[ ${1-} == --fix ]]; then
  "$gazelle" -external=static
  if [[ ! -f $modules || $(wanted) != "$(listed)" ]]; then
    list >"$modules.new"
    mv "$modules.new" "$modules"
  fi
  exit 0
fi

failed=0
if ! "$gazelle" -external=static -mode=diff; then
  echo "gazelle.sh: gazelle would change BUILD files as above, run make fmt" >&2
  failed=1
fi
if [[ $(wanted) != "$(listed)" ]]; then
  echo "gazelle.sh: $modules is not what go.mod says, run make fmt:" >&2
  diff <(listed) <(wanted) >&2 || true
  failed=1
fi
exit $failed
