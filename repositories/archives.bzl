"""Repositories that rules_docker defined and WORKSPACE files load from, in the versions
that its last state had. These rules need none of them.

Nothing of them is fetched before something uses it, and an archive that was mirrored
for rules_docker is found by its sha256."""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive", "http_file")

_ARCHIVES = {
    "bazel_gazelle": struct(
        sha256 = "cdb02a887a7187ea4d5a27452311a75ed8637379a1287d8eeb952138ea485f7d",
        strip_prefix = "",
        urls = [
            "https://github.com/bazelbuild/bazel-gazelle/releases/download/v0.21.1/bazel-gazelle-v0.21.1.tar.gz",
        ],
    ),
    "bazel_skylib": struct(
        sha256 = "c6966ec828da198c5d9adbaa94c05e3a1c7f21bd012a0b29ba8ddbccb2c93b0d",
        strip_prefix = "",
        urls = [
            "https://github.com/bazelbuild/bazel-skylib/releases/download/1.1.1/bazel-skylib-1.1.1.tar.gz",
            "https://mirror.bazel.build/github.com/bazelbuild/bazel-skylib/releases/download/1.1.1/bazel-skylib-1.1.1.tar.gz",
        ],
    ),
    "containerregistry": struct(
        sha256 = "a0c01fcc11db848212f8b11d89df168361f99a31eb7373ff60ce50c5d05cd74b",
        strip_prefix = "containerregistry-0.0.38",
        urls = [
            "https://github.com/google/containerregistry/archive/v0.0.38.tar.gz",
        ],
    ),
    "io_bazel_rules_go": struct(
        sha256 = "08c3cd71857d58af3cda759112437d9e63339ac9c6e0042add43f4d94caf632d",
        strip_prefix = "",
        urls = [
            "https://storage.googleapis.com/bazel-mirror/github.com/bazelbuild/rules_go/releases/download/v0.24.2/rules_go-v0.24.2.tar.gz",
            "https://github.com/bazelbuild/rules_go/releases/download/v0.24.2/rules_go-v0.24.2.tar.gz",
        ],
    ),
    "rules_pkg": struct(
        sha256 = "8a298e832762eda1830597d64fe7db58178aa84cd5926d76d5b744d6558941c2",
        strip_prefix = "",
        urls = [
            "https://mirror.bazel.build/github.com/bazelbuild/rules_pkg/releases/download/0.7.0/rules_pkg-0.7.0.tar.gz",
            "https://github.com/bazelbuild/rules_pkg/releases/download/0.7.0/rules_pkg-0.7.0.tar.gz",
        ],
    ),
    "rules_python": struct(
        sha256 = "b6d46438523a3ec0f3cead544190ee13223a52f6a6765a29eae7b7cc24cc83a0",
        strip_prefix = "",
        urls = [
            "https://github.com/bazelbuild/rules_python/releases/download/0.1.0/rules_python-0.1.0.tar.gz",
        ],
    ),
    "subpar": struct(
        sha256 = "481233d60c547e0902d381cd4fb85b63168130379600f330821475ad234d9336",
        strip_prefix = "subpar-9fae6b63cfeace2e0fb93c9c1ebdc28d3991b16f",
        urls = [
            "https://github.com/google/subpar/archive/9fae6b63cfeace2e0fb93c9c1ebdc28d3991b16f.tar.gz",
        ],
    ),
}

# Programs, each one file.
_PROGRAMS = {
    "container_diff": struct(
        sha256 = "65b10a92ca1eb575037c012c6ab24ae6fe4a913ed86b38048781b17d7cf8021b",
        urls = ["https://storage.googleapis.com/container-diff/v0.15.0/container-diff-linux-amd64"],
    ),
    "structure_test_darwin": struct(
        sha256 = "0a4ac9e221a86cda6bb9fedb2a0dfdce56f918327b8881977ad787ea15d0e82f",
        urls = ["https://storage.googleapis.com/container-structure-test/v1.11.0/container-structure-test-darwin-amd64"],
    ),
    "structure_test_linux": struct(
        sha256 = "1524da5fd5a0fc88c4c9257a3de05a45f135df07e6a684380dd5f659b9ce189b",
        urls = ["https://storage.googleapis.com/container-structure-test/v1.11.0/container-structure-test-linux-amd64"],
    ),
    "structure_test_linux_aarch64": struct(
        sha256 = "b376ff80134d2d609c591b98d65d653a514755b4861185fd93159af7062ec65d",
        urls = ["https://storage.googleapis.com/container-structure-test/v1.11.0/container-structure-test-linux-arm64"],
    ),
}

def define_archives():
    """Defines those of the repositories that are not there yet."""
    for name, archive in _ARCHIVES.items():
        if name not in native.existing_rules():
            http_archive(
                name = name,
                sha256 = archive.sha256,
                strip_prefix = archive.strip_prefix,
                urls = archive.urls,
            )
    for name, program in _PROGRAMS.items():
        if name not in native.existing_rules():
            http_file(
                name = name,
                executable = True,
                sha256 = program.sha256,
                urls = program.urls,
            )
