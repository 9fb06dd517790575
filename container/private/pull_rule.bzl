"""The rule behind the macro container_pull, under the name that tools know it by."""

load(":pull_impl.bzl", "PULL_ATTRS", "PULL_ENVIRON", "pull_impl")

container_pull = repository_rule(
    implementation = pull_impl,
    attrs = PULL_ATTRS,
    doc = "Pulls an image from a registry. Makes @NAME//image, a container_import.",
    environ = PULL_ENVIRON,
)
