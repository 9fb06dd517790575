"""container_parts: the description of an image that rules hand to each other.

container/providers.bzl lists its keys."""

load("//container:providers.bzl", "FlattenInfo", "ImageInfo", "ImportInfo", "LayerInfo", "PullInfo")
load(":labels.bzl", "label_text")
load(":layer_build.bzl", "describe_layer")
load(":programs.bzl", "run_builder")

SCRATCH = {
    "base_layers": 0,
    "base_registry": "",
    "base_repository": "",
    "blobsum": [],
    "config": None,
    "config_digest": None,
    "diff_id": [],
    "digest": None,
    "docker_manifest": None,
    "layer_metadata": [],
    "legacy": None,
    "manifest": None,
    "manifest_digest": None,
    "oci_manifest": None,
    "transitive_files": depset(),
    "unpacked": None,
    "unzipped_layer": [],
    "zipped_layer": [],
}

def layer_metadata(ctx, name, layer):
    """The metadata of a layer, declaring an action where its rule made none.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, unique in the target.
      layer: LayerInfo, or struct of zipped_layer.

    Returns:
      File.
    """
    known = getattr(layer, "metadata", None)
    return known or describe_layer(ctx, name, layer.zipped_layer, recompress = False).metadata

def unpack(ctx, name, archive):
    """Declares the action that takes the image out of a docker-save archive.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, unique in the target.
      archive: File, a tar, plain or compressed.

    Returns:
      dict with every key of SCRATCH.
    """
    directory = ctx.actions.declare_directory(name + ".unpacked")
    config = ctx.actions.declare_file(name + ".unpacked.json")
    run_builder(
        ctx,
        "unpack",
        {"config": config, "in": archive},
        inputs = [archive],
        outputs = [config, directory],
        mnemonic = "ContainerUnpack",
        message = "Unpacking %s" % archive.short_path,
        directory = directory,
    )
    return dict(SCRATCH, config = config, legacy = archive, unpacked = directory)

def parts_of(ctx, name, target):
    """The image that a target provides.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, prefix for files that have to be declared.
      target: Target with ImageInfo or ImportInfo, or with a docker-save archive as
        its first file.

    Returns:
      dict with every key of SCRATCH, or None if the target provides no image.
    """
    files = target.files.to_list()
    if ImageInfo in target:
        given = target[ImageInfo].container_parts
    elif ImportInfo in target:
        given = target[ImportInfo].container_parts
    elif LayerInfo in target or FlattenInfo in target:
        return None  # their tars are file systems
    else:
        return unpack(ctx, name, files[0]) if files else None
    parts = dict(SCRATCH)
    parts.update(given)
    if parts["legacy"] and not parts["unpacked"]:
        parts.update(unpacked = unpack(ctx, name + ".legacy", parts["legacy"])["unpacked"])
    if len(parts["layer_metadata"]) != len(parts["zipped_layer"]):
        # Made by somebody else's rule, which knows upstream's keys only.
        parts["layer_metadata"] = [
            layer_metadata(ctx, "%s.layer%d" % (name, i), struct(zipped_layer = blob))
            for i, blob in enumerate(parts["zipped_layer"])
        ]
    if PullInfo in target:
        parts["base_layers"] = len(parts["zipped_layer"])
        parts["base_registry"] = target[PullInfo].base_image_registry
        parts["base_repository"] = target[PullInfo].base_image_repository
    return parts

def image_of(ctx, name, target, attribute):
    """The image that a target provides, as parts_of; a failure if it provides none.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, prefix for files that have to be declared.
      target: Target that the attribute names.
      attribute: str, what messages call it, e.g. "base".

    Returns:
      dict with every key of SCRATCH.
    """
    parts = parts_of(ctx, name, target)
    if parts == None:
        fail("%s: %s %s is no image; name a container_image, a container_import or a docker-save archive" %
             (label_text(ctx.label), attribute, label_text(target.label)))
    return parts
