"""The container rules under their docker_ names."""

load("//container:bundle.bzl", "container_bundle")
load("//container:flatten.bzl", "container_flatten")
load("//container:image.bzl", "container_image")
load("//container:import.bzl", "container_import")
load("//container:layer.bzl", "container_layer")
load("//container:load.bzl", "container_load")
load("//container:pull.bzl", "container_pull")
load("//container:push.bzl", "container_push")

docker_build = container_image
docker_bundle = container_bundle
docker_flatten = container_flatten
docker_image = container_image
docker_import = container_import
docker_layer = container_layer
docker_load = container_load
docker_pull = container_pull

def docker_push(*args, **kwargs):
    """container_push with Docker's media types.

    Args:
      *args: none; attributes are named.
      **kwargs: the attributes of container_push but format.
    """
    if "format" in kwargs:
        fail("docker_push: the format is Docker; container_push takes the attribute format")
    kwargs["format"] = "Docker"
    container_push(*args, **kwargs)
