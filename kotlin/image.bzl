"""kt_jvm_image: repositories() that pulls its base images, which are those of java_image.

The rule itself is not there yet."""

load("//java:image.bzl", _repositories = "repositories")

repositories = _repositories
