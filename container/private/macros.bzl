"""What the public macros share."""

def stamp_label(value):
    """The label of a stamp setting for the value of a `stamp` attribute.

    Args:
      value: bool, as pinned users write it, or a label or select().

    Returns:
      Label, or `value` itself where it is no bool.
    """
    if type(value) != type(True):
        return value
    return Label("//stamp:always") if value else Label("//stamp:never")

def absolute_label(label):
    """A label in a form that is the same for all spellings, as seen from this package.

    Args:
      label: str or Label.

    Returns:
      str.
    """
    text = str(label)
    if text.startswith("@") or text.startswith("//"):
        start, _, package = text.partition("//")
        if package and ":" not in package:
            text = "%s//%s:%s" % (start, package, package.split("/")[-1])
        return text
    return "//%s:%s" % (native.package_name(), text[1:] if text.startswith(":") else text)
