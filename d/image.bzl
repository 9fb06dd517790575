"""d_image: repositories() that pulls its base images, which are those of cc_image.

The rule itself is not there yet."""

load("//cc:image.bzl", _repositories = "repositories")

repositories = _repositories
