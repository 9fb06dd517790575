"""How a label is written where people read it."""

def label_text(label):
    """A label as one would type it, and alike in all versions of Bazel.

    `str(label)` of a target of the main repository is `//a:b`, `@//a:b` or `@@//a:b`,
    depending on the version. Documents, and so histories of images, must not.

    Args:
      label: Label.

    Returns:
      str: `//a:b`, or with the repository `@r//a:b`. A canonical name of Bzlmod, which
      no BUILD file can use but the command line can, is `@@r~//a:b`.
    """
    text = str(label).lstrip("@")
    if text.startswith("//"):
        return text
    repository = text.split("//")[0]
    return ("@@" if "~" in repository or "+" in repository else "@") + text
