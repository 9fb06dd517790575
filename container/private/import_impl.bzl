"""Implementation of container_import."""

load("//container:providers.bzl", "ImportInfo", "PullInfo")
load(":image_build.bzl", "declare_image", "declare_tarball", "image_spec")
load(":image_config.bzl", "image_name")
load(":labels.bzl", "label_text")
load(":layer_build.bzl", "describe_layer")
load(":load.bzl", "declare_loader")
load(":parts.bzl", "SCRATCH")
load(":programs.bzl", "launcher_extension")
load(":tool_attrs.bzl", "check_tools")

def _is_blob(file, manifest):
    """Whether a layer is what a registry holds: then it stays as it is.

    Without a manifest a plain tar is what someone unpacked, and is compressed again.
    """
    if file.extension in ("gz", "tgz"):
        return True
    return manifest != None and file.extension in ("tar", "zst")

def import_impl(ctx):
    """Implements container_import.

    Args:
      ctx: the rule's context.

    Returns:
      list of providers: ImportInfo, DefaultInfo and, if known, PullInfo.
    """
    check_tools(ctx)
    name = ctx.label.name
    if not ctx.file.config:
        fail("%s: config is missing: an image cannot be imported without its configuration" % label_text(ctx.label))
    layers = [
        describe_layer(ctx, "%s.%d.%s" % (name, i, layer.basename), layer, recompress = not _is_blob(layer, ctx.file.manifest))
        for i, layer in enumerate(ctx.files.layers)
    ]

    # The user may have named these files NAME.json and so on, hence a folder.
    prefix = name + ".image/"
    outputs = struct(
        config = ctx.actions.declare_file(prefix + "config.json"),
        config_digest = ctx.actions.declare_file(prefix + "config.json.sha256"),
        digest = ctx.actions.declare_file(prefix + "digest"),
        name = prefix + "image",
    )
    inputs = [f for f in [ctx.file.config, ctx.file.manifest] if f]
    image = declare_image(
        ctx,
        outputs,
        image_spec(
            base_config = ctx.file.config.path,
            base_manifest = ctx.file.manifest.path if ctx.file.manifest else "",
            verbatim = True,
        ),
        layers = [struct(env = {}, metadata = layer.metadata) for layer in layers],
        inputs = inputs,
    )
    parts = dict(
        SCRATCH,
        base_layers = len(layers),
        base_registry = ctx.attr.base_image_registry,
        base_repository = ctx.attr.base_image_repository,
        blobsum = [layer.blob_sum for layer in layers],
        config = outputs.config,
        config_digest = outputs.config_digest,
        diff_id = [layer.diff_id for layer in layers],
        digest = outputs.digest,
        docker_manifest = image.docker_manifest,
        layer_metadata = [layer.metadata for layer in layers],
        manifest = ctx.file.manifest,
        oci_manifest = image.oci_manifest,
        unzipped_layer = [layer.unzipped_layer for layer in layers],
        zipped_layer = [layer.zipped_layer for layer in layers],
    )
    tagged = [struct(parts = parts, tag = image_name(ctx.attr.repository, ctx.label.package, name, False))]
    declare_tarball(ctx, ctx.outputs.out, "legacy", tagged)
    executable = ctx.actions.declare_file(name + launcher_extension(ctx))
    providers = [
        ImportInfo(container_parts = parts),
        DefaultInfo(
            executable = executable,
            files = depset([ctx.outputs.out]),
            runfiles = declare_loader(ctx, executable, tagged),
        ),
    ]
    if ctx.attr.base_image_registry and ctx.attr.base_image_repository and ctx.attr.base_image_digest:
        providers.append(PullInfo(
            base_image_digest = ctx.attr.base_image_digest,
            base_image_registry = ctx.attr.base_image_registry,
            base_image_repository = ctx.attr.base_image_repository,
        ))
    return providers
