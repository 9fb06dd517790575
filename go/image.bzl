"""go_image: the base images, and repositories() that pulls them.

The rules themselves are not there yet."""

load("//container/private:base_images.bzl", "pull_bases", "select_base")
load(":go.bzl", BASE_DIGESTS = "DIGESTS")
load(":static.bzl", STATIC_DIGESTS = "DIGESTS")

DEFAULT_BASE = select_base("go_image_base", debug = "go_debug_image_base")
STATIC_DEFAULT_BASE = select_base("go_image_static", debug = "go_debug_image_static")

# buildifier: disable=unnamed-macro
def repositories():
    """Defines the pulls of the base images, unless they are there already."""
    pull_bases("distroless/base", BASE_DIGESTS, latest = "go_image_base", debug = "go_debug_image_base")
    pull_bases("distroless/static", STATIC_DIGESTS, latest = "go_image_static", debug = "go_debug_image_static")
