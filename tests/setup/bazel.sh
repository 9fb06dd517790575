#!/bin/bash
# bazel.sh MAJOR: prints the path of a launcher for that Bazel: by bazelisk, the machine's own, or Debian's packages.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rules_docker_for_insecure_registries/bazel

major=${1-}
case $major in
  4) release=4.2.3 ;;
  7) release=7.7.1 ;;
  *)
    echo "bazel.sh: Bazel '$major' is not one of the versions that the tests know: 4 and 7" >&2
    exit 2
    ;;
esac

# Succeeds when the command is a Bazel of the wanted major version. Limited in time, since bazelisk fetches it first.
serves() {
  local said
  said=$(cd / && timeout 180 "$@" --version 2>/dev/null </dev/null) || return 1
  case $said in
    "bazel $major."*) return 0 ;;
    # Debian's does not know its own version.
    "bazel no_version") [[ $(dpkg-query --show --showformat='${Version}' bazel-bootstrap 2>/dev/null) == "$major."* ]] ;;
    *) return 1 ;;
  esac
}

# Makes a launcher of a line of shell and prints its path.
launcher() {
  local file
  mkdir -p "$cache"
  file=$(mktemp "$cache/.launcher.XXXXXX")
  printf '#!/bin/sh\n%s "$@"\n' "$1" >"$file"
  chmod 755 "$file"
  mv "$file" "$cache/bazel-$major"
  echo "$cache/bazel-$major"
}

# bazelisk, often installed as bazel, takes the version from the environment; so does the start script of Bazel's packages.
for name in bazelisk bazel; do
  if chooser=$(command -v "$name") && serves env USE_BAZEL_VERSION=$release "$chooser"; then
    launcher "USE_BAZEL_VERSION=$release exec $(printf %q "$chooser")"
    exit 0
  fi
done

plain=$(command -v bazel || true)
if [[ -n $plain ]] && serves env -u USE_BAZEL_VERSION "$plain"; then
  echo "$plain"
  exit 0
fi

case $major in
  4)
    "$here/debian.sh" bazel-bootstrap
    plain=/usr/bin/bazel
    if ! serves env -u USE_BAZEL_VERSION "$plain"; then
      echo "bazel.sh: Debian's bazel-bootstrap is not Bazel $major here: install bazelisk or Bazel $release" >&2
      exit 1
    fi
    echo "$plain"
    ;;
  7)
    tree=$cache/debian-7
    "$here/bazel7/tree.sh" "$tree"
    launcher "exec $(printf '%q ' "$here/bazel7/enter.sh" "$tree")/usr/bin/bazel --server_javabase=/usr/lib/jvm/default-java"
    ;;
esac
