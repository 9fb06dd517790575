"""Declares the actions that make layers."""

load("//container:providers.bzl", "LayerInfo")
load(":labels.bzl", "label_text")
load(":layer_tool.bzl", "declare_tool_tar")
load(":paths.bzl", "paths")
load(":programs.bzl", "run_builder")
load(":tool_attrs.bzl", "own_tool")

_PORTABLE_MTIME = 946684800
_COMPRESSED_BY_TOOL = ["", "gzip", "none"]
_EXTENSIONS = {"": "tar.gz", "gzip": "tar.gz", "none": "tar", "zstd": "tar.zst"}

def _mtime(ctx):
    if ctx.attr.portable_mtime:
        if ctx.attr.mtime != -1:
            fail("You may not set both mtime and portable_mtime")
        return _PORTABLE_MTIME
    return ctx.attr.mtime if ctx.attr.mtime != -1 else 0

def _compression(algorithm, options):
    level = 0
    for option in options:
        if option.lstrip("-") in ("fast", "best"):
            level = 1 if option.endswith("fast") else 9
        elif len(option) == 2 and option[0] == "-" and option[1] in "123456789".elems():
            level = int(option[1])
        else:
            fail("compression_options: %r is not one of --fast, --best and -1 to -9" % option)
    return {"algorithm": algorithm or "gzip", "level": level}

def _files(ctx, files, directory):
    return [
        {
            "dst": paths.join(directory, paths.relative(f.short_path, ctx.attr.data_path, ctx.label.package)),
            "src": f.path,
        }
        for f in files
    ]

def layer_content(ctx, overrides):
    """What a layer holds: the attributes, with a caller's overrides.

    Args:
      ctx: the rule's context, with LAYER_ATTRS.
      overrides: dict from name to value; None means the attribute's.

    Returns:
      struct of files, file_map, empty_files, empty_dirs, directory, symlinks, debs,
      tars, env, compression, compression_options, operating_system, and empty: bool,
      whether the layer would hold nothing.
    """
    given = {k: v for k, v in overrides.items() if v != None}
    content = dict(
        files = ctx.files.files,
        file_map = {},
        empty_files = ctx.attr.empty_files,
        empty_dirs = ctx.attr.empty_dirs,
        directory = ctx.attr.directory,
        symlinks = ctx.attr.symlinks,
        debs = ctx.files.debs,
        tars = ctx.files.tars,
        env = ctx.attr.env,
        compression = ctx.attr.compression,
        compression_options = ctx.attr.compression_options,
        operating_system = ctx.attr.operating_system,
    )
    content.update(given)
    something = ["files", "file_map", "empty_files", "empty_dirs", "symlinks", "debs", "tars"]
    return struct(
        empty = content["operating_system"] != "windows" and not any([content[k] for k in something]),
        **content
    )

def declare_layer(ctx, name, content, output_layer):
    """Declares the action that makes a layer, and the lazy one for its plain tar.

    With `build_layer`, it is one for the plain tar and one for the layer.

    Args:
      ctx: the rule's context, with LAYER_ATTRS.
      name: str, name of the target that the layer belongs to.
      content: struct, from layer_content.
      output_layer: File, the plain tar; made only if something asks for it.

    Returns:
      LayerInfo.
    """
    if own_tool(ctx, "build_layer"):
        return _declare_tool_layer(ctx, name, content, output_layer)
    spec = {
        "compression": _compression(content.compression, content.compression_options),
        "debs": [f.path for f in content.debs],
        "directory": content.directory,
        "empty_dirs": content.empty_dirs,
        "empty_files": content.empty_files,
        "files": _files(ctx, content.files, content.directory) + [
            {"dst": paths.join("", path), "src": f.path}
            for path, f in content.file_map.items()
        ],
        "mode": ctx.attr.mode,
        "mtime": _mtime(ctx),
        "preserve_mtime": ctx.attr.enable_mtime_preservation,
        "root": "Files" if content.operating_system == "windows" else "",
        "symlinks": [{"name": k, "target": v} for k, v in content.symlinks.items()],
        "target": label_text(ctx.label),
        "tars": [f.path for f in content.tars],
        "version": 1,
    }
    spec_file = ctx.actions.declare_file("%s-layer.spec.json" % name)
    ctx.actions.write(spec_file, json.encode(spec))

    extension = _EXTENSIONS[content.compression]
    if extension == "tar":
        blob = output_layer
    else:
        blob = ctx.actions.declare_file("%s-layer.%s" % (name, extension))
    blob_sum = ctx.actions.declare_file("%s-layer.%s.sha256" % (name, extension))
    diff_id = blob_sum if extension == "tar" else ctx.actions.declare_file("%s-layer.tar.sha256" % name)
    metadata = ctx.actions.declare_file("%s-layer.metadata.json" % name)
    arguments = {"blob-sum": blob_sum, "metadata": metadata, "out": blob, "spec": spec_file}
    outputs = [blob, blob_sum, metadata]
    if extension != "tar":
        arguments["diff-id"] = diff_id
        outputs.append(diff_id)
    run_builder(
        ctx,
        "layer",
        arguments,
        inputs = [spec_file] + content.files + content.file_map.values() + content.tars + content.debs,
        outputs = outputs,
        mnemonic = "ContainerLayer",
        message = "Building layer %s" % blob.short_path,
    )
    if blob != output_layer:
        decompress_layer(ctx, blob, output_layer)
    return LayerInfo(
        blob_sum = blob_sum,
        diff_id = diff_id,
        env = content.env,
        metadata = metadata,
        unzipped_layer = output_layer,
        zipped_layer = blob,
    )

def _declare_tool_layer(ctx, name, content, output_layer):
    """declare_layer for a layer whose tar the user's own program makes."""
    if content.compression not in _COMPRESSED_BY_TOOL or content.compression_options:
        fail("%s: with build_layer, compression can only be gzip or none, without compression_options" % label_text(ctx.label))
    declare_tool_tar(ctx, name, content, _mtime(ctx), output_layer)
    described = describe_layer(ctx, name + "-layer.tar", output_layer, recompress = content.compression != "none")
    return LayerInfo(
        blob_sum = described.blob_sum,
        diff_id = described.diff_id,
        env = content.env,
        metadata = described.metadata,
        unzipped_layer = output_layer,
        zipped_layer = described.zipped_layer,
    )

def decompress_layer(ctx, blob, output):
    """Declares the action that makes a layer's plain tar from its blob.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      blob: File.
      output: File.
    """
    run_builder(
        ctx,
        "decompress",
        {"in": blob, "out": output},
        inputs = [blob],
        outputs = [output],
        mnemonic = "ContainerDecompress",
        message = "Decompressing layer %s" % blob.short_path,
    )

def describe_layer(ctx, name, layer, recompress):
    """Declares the action that describes a layer made elsewhere.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, prefix of the files to declare.
      layer: File, the archive.
      recompress: bool, whether to make a gzip blob of it.

    Returns:
      LayerInfo, its unzipped_layer made only if something asks for it.
    """
    blob = ctx.actions.declare_file(name + ".gz") if recompress else layer
    blob_sum = ctx.actions.declare_file(name + ".gz.sha256")
    diff_id = ctx.actions.declare_file(name + ".nogz.sha256")
    metadata = ctx.actions.declare_file(name + ".metadata.json")
    run_builder(
        ctx,
        "blob",
        {
            "blob-sum": blob_sum,
            "diff-id": diff_id,
            "in": layer,
            "metadata": metadata,
            "out": blob if recompress else None,
        },
        inputs = [layer],
        outputs = [blob_sum, diff_id, metadata] + ([blob] if recompress else []),
        mnemonic = "ContainerBlob",
        message = "Reading layer %s" % layer.short_path,
    )
    if layer.extension == "tar":
        plain = layer
    else:
        plain = ctx.actions.declare_file(name + ".nogz")
        decompress_layer(ctx, blob, plain)
    return LayerInfo(
        blob_sum = blob_sum,
        diff_id = diff_id,
        env = {},
        metadata = metadata,
        unzipped_layer = plain,
        zipped_layer = blob,
    )
