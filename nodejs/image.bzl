"""nodejs_image: the base images, and repositories() that pulls them.

The rules themselves are not there yet."""

load("//container/private:base_images.bzl", "pull_bases", "select_base")
load(":nodejs.bzl", "DIGESTS")

DEFAULT_BASE = select_base("nodejs_image_base", debug = "nodejs_debug_image_base")

# buildifier: disable=unnamed-macro
def repositories():
    """Defines the pulls of the base images, unless they are there already."""
    pull_bases("google-appengine/debian9", DIGESTS, latest = "nodejs_image_base", debug = "nodejs_debug_image_base")
