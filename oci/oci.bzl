"""container_push with the OCI's media types."""

load("//container:push.bzl", "container_push")

def oci_push(*args, **kwargs):
    """container_push with the OCI's media types.

    Args:
      *args: none; attributes are named.
      **kwargs: the attributes of container_push but format.
    """
    if "format" in kwargs:
        fail("oci_push: the format is OCI; container_push takes the attribute format")
    kwargs["format"] = "OCI"
    container_push(*args, **kwargs)
