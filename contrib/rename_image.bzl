"""rename_image: an image under another name."""

load("//container:bundle.bzl", "container_bundle")

# buildifier: disable=function-docstring-return
def rename_image(name, image, new_repo, new_tag = "latest"):
    """Makes a container_bundle of an image under a new name.

    Args:
      name: str, name of the bundle.
      image: label, the image.
      new_repo: str, its new repository.
      new_tag: str, its new tag.

    Returns:
      (str, str): the bundle's archive, `NAME.tar`, and the image's name in it.
    """
    reference = "%s:%s" % (new_repo, new_tag)
    container_bundle(name = name, images = {reference: image})
    return name + ".tar", reference
