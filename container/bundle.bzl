"""container_bundle: a set of images, each under a name."""

load("//container:providers.bzl", "STAMP_ATTR")
load("//container/private:bundle_impl.bzl", "bundle_impl")
load("//container/private:macros.bzl", "absolute_label", "stamp_label")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS")
load("//container/private:tool_attrs.bzl", "tool_attrs")

_ATTRS = {
    "experimental_tarball_format": attr.string(
        default = "legacy",
        doc = "Whether `NAME.tar` holds plain (`legacy`) or compressed layers.",
        values = ["legacy", "compressed"],
    ),
    "image_target_strings": attr.string_list(
        doc = "Set by the macro: the labels of `image_targets` as written in `images`.",
    ),
    "image_targets": attr.label_list(
        allow_files = True,
        doc = "Set by the macro: the images, each once.",
    ),
    "images": attr.string_dict(
        doc = "The images by their names, `REGISTRY/REPOSITORY:TAG`. Make variables and, when stamping, " +
              "`{KEY}` are replaced in the names.",
    ),
    "stamp": STAMP_ATTR,
    "tar_output": attr.output(
        doc = "The docker-save archive; by default `NAME.tar`.",
    ),
}

container_bundle_ = rule(
    implementation = bundle_impl,
    attrs = dict(dict(dict(_ATTRS, **BUILDER_ATTRS), **LAUNCHER_ATTRS), **tool_attrs(["extract_config", "incremental_load_template"])),
    doc = "Bundles images. Provides BundleInfo; running it loads all of them.",
    executable = True,
)

_RESERVED = ["image_targets", "image_target_strings"]

def container_bundle(**kwargs):
    """Bundles images.

    `images` is a dictionary from name to label. `NAME.tar` is a docker-save archive
    of all of them; running `NAME` loads them.

    Args:
      **kwargs: the attributes of container_bundle_; `stamp` also takes a bool.
    """
    for name in _RESERVED:
        if name in kwargs:
            fail("container_bundle: the attribute %s is the macro's own" % name)

    # One image may have several names, and several spellings of its label.
    if "images" in kwargs:
        images = {name: absolute_label(label) for name, label in kwargs["images"].items()}
        labels = {label: None for label in images.values()}.keys()
        kwargs["images"] = images
        kwargs["image_targets"] = labels
        kwargs["image_target_strings"] = labels
    if "stamp" in kwargs:
        kwargs["stamp"] = stamp_label(kwargs["stamp"])
    if "tar_output" not in kwargs and "name" in kwargs:
        kwargs["tar_output"] = kwargs["name"] + ".tar"
    container_bundle_(**kwargs)
