"""container_image: an image, from a base or from scratch."""

load("//container/private:image_attrs.bzl", "IMAGE_ATTRS", "IMAGE_OUTPUTS")
load("//container/private:image_impl.bzl", "image_impl")
load("//container/private:image_transition.bzl", "TRANSITION_ATTRS", "image_transition")
load("//container/private:macros.bzl", "stamp_label")

# For rules that are made from container_image. They may say `cfg = image.cfg`, and
# need not: one with a transition and without it cannot have the same attributes.
image = struct(
    attrs = IMAGE_ATTRS,
    cfg = None,
    implementation = image_impl,
    outputs = IMAGE_OUTPUTS,
)

container_image_ = rule(
    implementation = image.implementation,
    attrs = dict(image.attrs, **TRANSITION_ATTRS),
    cfg = image_transition,
    doc = "Builds an image. Provides ImageInfo.",
    executable = True,
    outputs = image.outputs,
)

_RESERVED = ["label_files", "label_file_strings", "null_cmd", "null_entrypoint"]

def _command(kwargs, attribute, shell):
    """Turns a text into a shell command, and an empty value into its null form."""
    if attribute not in kwargs:
        return
    value = kwargs[attribute]
    if type(value) == type(""):
        kwargs[attribute] = shell + [value] if value else []
    elif value == None:
        kwargs[attribute] = []
    if kwargs[attribute] == []:
        kwargs["null_" + attribute] = True

def container_image(**kwargs):
    """Builds an image.

    Besides the attributes of container_image_, `cmd` and `entrypoint` take a text,
    run by a shell, or None (as "" or []) to remove what the base has; `labels`
    takes `@LABEL` for the content of a file; `stamp` takes a bool.

    Args:
      **kwargs: the attributes.
    """
    for name in _RESERVED:
        if name in kwargs:
            fail("container_image: the attribute %s is the macro's own" % name)

    shell = ["/bin/sh", "-c"]
    if kwargs.get("operating_system") == "windows":
        shell = ["%WinDir%\\system32\\cmd.exe", "/c"]
    _command(kwargs, "cmd", shell)
    _command(kwargs, "entrypoint", shell)

    labels = kwargs.get("labels")
    if type(labels) == type({}):
        files = []
        for value in labels.values():
            if value.startswith("@") and value != "@" and value[1:] not in files:
                files.append(value[1:])
        kwargs["label_files"] = files
        kwargs["label_file_strings"] = files
    if "stamp" in kwargs:
        kwargs["stamp"] = stamp_label(kwargs["stamp"])
    container_image_(**kwargs)
