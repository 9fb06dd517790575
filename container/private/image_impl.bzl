"""Implementation of container_image."""

load("//container:providers.bzl", "ImageInfo", "LayerInfo", "StampSettingInfo")
load(":image_build.bzl", "declare_image", "declare_tarball", "image_spec", "key_values")
load(":image_config.bzl", "config_fields", "image_name", "label_entries")
load(":labels.bzl", "label_text")
load(":layer_build.bzl", "declare_layer", "layer_content")
load(":load.bzl", "declare_loader")
load(":parts.bzl", "SCRATCH", "image_of", "layer_metadata")
load(":tool_attrs.bzl", "check_tools")

def _base_parts(ctx, name, base):
    if not base:
        return SCRATCH
    return image_of(ctx, name + ".base", base, "base")

def _or(value, default):
    return default if value == None else value

def image_impl(
        ctx,
        name = None,
        base = None,
        files = None,
        file_map = None,
        empty_files = None,
        empty_dirs = None,
        directory = None,
        entrypoint = None,
        cmd = None,
        creation_time = None,
        symlinks = None,
        env = None,
        layers = None,
        compression = None,
        compression_options = None,
        experimental_tarball_format = None,
        debs = None,
        tars = None,
        architecture = None,
        operating_system = None,
        os_version = None,
        output_executable = None,
        output_tarball = None,
        output_config = None,
        output_config_digest = None,
        output_digest = None,
        output_layer = None,
        workdir = None,
        user = None,
        null_cmd = None,
        null_entrypoint = None,
        tag_name = None,
        labels = None,
        label_files = None,
        label_file_strings = None):
    """Implements container_image; rules made from it override what they must.

    Every argument but the context overrides the attribute or the output of the same
    name; None means the attribute or the output itself.

    Args:
      ctx: the rule's context, with IMAGE_ATTRS and IMAGE_OUTPUTS.
      name: str.
      base: Target.
      files: list of File.
      file_map: dict from path in the image to File, added to `files`.
      empty_files: list of str.
      empty_dirs: list of str.
      directory: str.
      entrypoint: list of str.
      cmd: list of str.
      creation_time: str.
      symlinks: dict of str.
      env: dict of str, already expanded.
      layers: list of Target with LayerInfo.
      compression: str.
      compression_options: list of str.
      experimental_tarball_format: str.
      debs: list of File.
      tars: list of File.
      architecture: str.
      operating_system: str.
      os_version: str.
      output_executable: File.
      output_tarball: File.
      output_config: File.
      output_config_digest: File.
      output_digest: File.
      output_layer: File.
      workdir: str.
      user: str.
      null_cmd: bool.
      null_entrypoint: bool.
      tag_name: str.
      labels: dict of str.
      label_files: list of Target.
      label_file_strings: list of str.

    Returns:
      list of providers: ImageInfo, DefaultInfo, InstrumentedFilesInfo.
    """
    check_tools(ctx)
    name = name or ctx.label.name
    base = base or ctx.attr.base
    launcher = ctx.file.launcher
    if ctx.attr.launcher_args and not launcher:
        fail("%s: launcher_args has no effect without launcher" % label_text(ctx.label))
    if env == None:
        env = {
            ctx.expand_make_variables("env", k, {}): ctx.expand_make_variables("env", v, {})
            for k, v in ctx.attr.env.items()
        }
    output_layer = output_layer or ctx.outputs.layer

    # The layers: the base's, then `layers`, then the image's own unless it is empty.
    below = _base_parts(ctx, name, base)
    content = layer_content(ctx, dict(
        compression = compression,
        compression_options = compression_options,
        debs = debs,
        directory = directory,
        empty_dirs = empty_dirs,
        empty_files = empty_files,
        file_map = dict(
            {"/" + launcher.basename: launcher} if launcher else {},
            **_or(file_map, {})
        ),
        files = files,
        operating_system = operating_system,
        symlinks = symlinks,
        tars = tars,
    ))
    own = declare_layer(ctx, name, content, output_layer)
    added = [target[LayerInfo] for target in _or(layers, ctx.attr.layers)]
    if not content.empty or not (added or below["config"]):
        added = added + [own]
    metadata = [
        layer_metadata(ctx, "%s.layer%d" % (name, i), layer)
        for i, layer in enumerate(added)
    ]

    # The image.
    base_info = base[ImageInfo] if base and ImageInfo in base else None
    stamp = ctx.attr.stamp[StampSettingInfo].value or bool(getattr(base_info, "stamp", False))
    config = output_config or ctx.outputs.config
    config_digest = output_config_digest or ctx.outputs.config_digest
    digest = output_digest or ctx.outputs.digest
    label_values, label_inputs = label_entries(
        ctx,
        _or(labels, ctx.attr.labels),
        _or(label_files, ctx.attr.label_files),
        _or(label_file_strings, ctx.attr.label_file_strings),
    )
    own_env = [layer for layer in added if layer != own]
    fields = config_fields(
        ctx,
        struct(
            cmd = _or(cmd, ctx.attr.cmd),
            creation_time = _or(creation_time, ctx.attr.creation_time),
            entrypoint = _or(entrypoint, ctx.attr.entrypoint),
            env = env,
            layer_env = [layer.env for layer in own_env],
            null_cmd = _or(null_cmd, ctx.attr.null_cmd),
            null_entrypoint = _or(null_entrypoint, ctx.attr.null_entrypoint),
            os_version = _or(os_version, ctx.attr.os_version),
            user = _or(user, ctx.attr.user),
            workdir = _or(workdir, ctx.attr.workdir),
        ),
        label_values,
        stamp,
    )
    operating_system = content.operating_system
    base_inputs = [f for f in [below["config"], below["manifest"], below["unpacked"]] if f]
    image = declare_image(
        ctx,
        struct(config = config, config_digest = config_digest, digest = digest, name = name),
        image_spec(
            architecture = _or(architecture, ctx.attr.architecture),
            base_archive = below["unpacked"].path if below["unpacked"] else "",
            base_config = below["config"].path if below["config"] else "",
            base_manifest = below["manifest"].path if below["manifest"] else "",
            env = key_values(env),
            labels = label_values,
            launcher_prefix = ["/" + launcher.basename] + ctx.attr.launcher_args if launcher else [],
            new_layers = len(added),
            # "linux" is the attribute's default, so it does not relabel another base.
            os = "" if base and operating_system == "linux" else operating_system,
            ports = ctx.attr.ports,
            volumes = ctx.attr.volumes,
            **fields.spec
        ),
        layers = [struct(env = {}, metadata = m) for m in below["layer_metadata"]] + [
            struct(env = {} if layer == own else layer.env, metadata = m)
            for layer, m in zip(added, metadata)
        ],
        inputs = base_inputs + label_inputs + fields.stamp_files,
    )

    parts = dict(
        below,
        blobsum = below["blobsum"] + [layer.blob_sum for layer in added],
        config = config,
        config_digest = config_digest,
        diff_id = below["diff_id"] + [layer.diff_id for layer in added],
        digest = digest,
        docker_manifest = image.docker_manifest,
        layer_metadata = below["layer_metadata"] + metadata,
        oci_manifest = image.oci_manifest,
        unzipped_layer = below["unzipped_layer"] + [layer.unzipped_layer for layer in added],
        zipped_layer = below["zipped_layer"] + [layer.zipped_layer for layer in added],
    )

    # What is made only when something asks for it.
    tagged = [struct(
        parts = parts,
        tag = image_name(ctx.attr.repository, ctx.label.package, tag_name or ctx.attr.tag_name or name, ctx.attr.legacy_repository_naming),
    )]
    declare_tarball(
        ctx,
        output_tarball or ctx.outputs.out,
        experimental_tarball_format or ctx.attr.experimental_tarball_format,
        tagged,
    )
    run_flags = ctx.attr.docker_run_flags or (base_info.docker_run_flags if base_info else "")
    executable = output_executable or ctx.outputs.build_script
    runfiles = declare_loader(
        ctx,
        executable,
        tagged,
        run = not ctx.attr.legacy_run_behavior,
        run_flags = run_flags or "-i --rm --network=host",
    )
    return [
        ImageInfo(
            container_parts = parts,
            docker_run_flags = run_flags,
            legacy_run_behavior = ctx.attr.legacy_run_behavior,
            stamp = stamp,
        ),
        DefaultInfo(
            executable = executable,
            files = depset([output_layer]),
            runfiles = runfiles,
        ),
        coverage_common.instrumented_files_info(ctx, dependency_attributes = ["files"]),
    ]
