"""cc_image: the base images, and repositories() that pulls them.

The rules themselves are not there yet."""

load("//container/private:base_images.bzl", "pull_bases", "select_base")
load(":cc.bzl", "DIGESTS")

DEFAULT_BASE = select_base("cc_image_base", debug = "cc_debug_image_base")

# buildifier: disable=unnamed-macro
def repositories():
    """Defines the pulls of the base images, unless they are there already."""
    pull_bases("distroless/cc", DIGESTS, latest = "cc_image_base", debug = "cc_debug_image_base")
