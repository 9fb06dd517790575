"""java_image, war_image: the base images, and repositories() that pulls them.

The rules themselves are not there yet."""

load("//container/private:base_images.bzl", "pull_bases", "select_base")
load(":java.bzl", JAVA_DIGESTS = "DIGESTS")
load(":jetty.bzl", JETTY_DIGESTS = "DIGESTS")

DEFAULT_JAVA_BASE = select_base("java_image_base", debug = "java_debug_image_base")
DEFAULT_JETTY_BASE = select_base("jetty_image_base", debug = "jetty_debug_image_base")

# buildifier: disable=unnamed-macro
def repositories():
    """Defines the pulls of the base images, unless they are there already."""
    pull_bases("distroless/java", JAVA_DIGESTS, latest = "java_image_base", debug = "java_debug_image_base")
    pull_bases("distroless/java/jetty", JETTY_DIGESTS, latest = "jetty_image_base", debug = "jetty_debug_image_base")
