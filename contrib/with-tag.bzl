"""container_image under a name of its own, for `bazel run` and for the archive."""

load("//container:bundle.bzl", "container_bundle")
load("//container:image.bzl", _container_image = "container_image")

def container_image(name = None, tag = None, **kwargs):
    """An image that is loaded as `tag`.

    The image is `NAME-internal`; `NAME` is a container_bundle of it.

    Args:
      name: str, name of the target.
      tag: str, REPOSITORY:TAG; make variables are expanded.
      **kwargs: the attributes of container_image.
    """
    if not name or not tag:
        fail("container_image of with-tag.bzl: both name and tag are needed")
    common = {
        key: kwargs[key]
        for key in ["tags", "testonly", "visibility"]
        if key in kwargs
    }
    _container_image(name = name + "-internal", **kwargs)
    container_bundle(name = name, images = {tag: ":" + name + "-internal"}, **common)

docker_build = container_image
docker_image = container_image
oci_image = container_image
