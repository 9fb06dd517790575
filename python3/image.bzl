"""py3_image: the base images, and repositories() that pulls them.

The rules themselves are not there yet."""

load("//container/private:base_images.bzl", "pull_bases", "select_base")
load(":python3.bzl", "DIGESTS")

DEFAULT_BASE = select_base("py3_image_base", debug = "py3_debug_image_base")

# buildifier: disable=unnamed-macro
def repositories():
    """Defines the pulls of the base images, unless they are there already."""
    pull_bases("distroless/python3", DIGESTS, latest = "py3_image_base", debug = "py3_debug_image_base")
