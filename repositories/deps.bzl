"""deps(): the second call of a WORKSPACE that uses these rules."""

load("//repositories:go_repositories.bzl", "go_deps")
load("//repositories:images.bzl", "images")
load("//repositories:py_repositories.bzl", "py_deps")

# buildifier: disable=unnamed-macro
def deps(go_repository_default_config = "@//:WORKSPACE"):
    """Defines what rules_docker 0.16.0 did here: the pull of @bazel_latest.

    These rules depend on no other repository, so nothing is fetched.

    Args:
      go_repository_default_config: str, accepted and not used.
    """
    go_deps(go_repository_default_config = go_repository_default_config)
    py_deps()
    images()
