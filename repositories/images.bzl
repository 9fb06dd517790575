"""images(): images that rules_docker had for its own tests."""

load("//container:pull.bzl", "container_pull")

# buildifier: disable=unnamed-macro
def images():
    """Defines the pull of @bazel_latest, unless it is there already."""
    if "bazel_latest" not in native.existing_rules():
        container_pull(
            name = "bazel_latest",
            registry = "l.gcr.io",
            repository = "google/bazel",
            tag = "latest",
        )
