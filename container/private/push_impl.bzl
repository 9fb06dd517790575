"""Implementation of container_push."""

load("//container:providers.bzl", "PushInfo", "StampSettingInfo")
load(":image_build.bzl", "declare_image", "image_spec")
load(":labels.bzl", "label_text")
load(":parts.bzl", "image_of")
load(":programs.bzl", "declare_launcher", "docker_settings", "launcher_extension", "run_builder", "runfiles_path")
load(":tool_attrs.bzl", "check_tools")

def _manifest(ctx, name, format, parts):
    """The manifest in the format that is pushed, declaring an action if need be."""
    key = "oci_manifest" if format == "OCI" else "docker_manifest"
    if parts[key]:
        return parts[key]
    prefix = name + ".image/"
    extra = [f for f in [parts["manifest"], parts["unpacked"]] if f]
    image = declare_image(
        ctx,
        struct(
            config = ctx.actions.declare_file(prefix + "config.json"),
            config_digest = ctx.actions.declare_file(prefix + "config.json.sha256"),
            digest = ctx.actions.declare_file(prefix + "digest"),
            name = prefix + "image",
        ),
        image_spec(
            base_archive = parts["unpacked"].path if parts["unpacked"] else "",
            base_config = parts["config"].path,
            base_manifest = parts["manifest"].path if parts["manifest"] else "",
            verbatim = True,
        ),
        layers = [struct(env = {}, metadata = m) for m in parts["layer_metadata"]],
        inputs = [parts["config"]] + extra,
    )
    return getattr(image, key)

def push_image(ctx, name, format, parts, digest):
    """Declares what is needed to push an image.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      name: str, prefix for files that have to be declared.
      format: str, "Docker" or "OCI".
      parts: dict, container_parts.
      digest: File to write the manifest's digest to.

    Returns:
      struct of fields: dict, the image in a spec.Push, and files: list of File for
      the runfiles.
    """
    manifest = _manifest(ctx, name, format, parts)
    run_builder(
        ctx,
        "digest",
        {"manifest": manifest, "out": digest},
        inputs = [manifest],
        outputs = [digest],
        mnemonic = "ContainerDigest",
        message = "Digest of %s" % label_text(ctx.label),
    )
    unpacked = [parts["unpacked"]] if parts["unpacked"] else []
    return struct(
        fields = {
            "archive": runfiles_path(ctx, unpacked[0]) if unpacked else "",
            "base_layers": parts["base_layers"],
            "base_registry": parts["base_registry"],
            "base_repository": parts["base_repository"],
            "config": runfiles_path(ctx, parts["config"]),
            "format": format,
            "layers": [runfiles_path(ctx, f) for f in parts["zipped_layer"]],
            "manifest": runfiles_path(ctx, manifest),
        },
        files = [manifest, parts["config"]] + unpacked + parts["zipped_layer"],
    )

def push_impl(ctx):
    """Implements container_push.

    Args:
      ctx: the rule's context.

    Returns:
      list of providers: DefaultInfo, OutputGroupInfo, PushInfo.
    """
    check_tools(ctx)
    registry = ctx.expand_make_variables("registry", ctx.attr.registry, {})
    repository = ctx.expand_make_variables("repository", ctx.attr.repository, {})
    tag = ctx.expand_make_variables("tag", ctx.attr.tag, {})
    braces = any(["{" in text for text in [registry, repository, tag]])
    stamp = ctx.attr.stamp[StampSettingInfo].value or braces
    stamp_files = [ctx.info_file, ctx.version_file] if stamp else []
    name_files = [f for f in [ctx.file.repository_file, ctx.file.tag_file] if f]

    parts = image_of(ctx, ctx.label.name, ctx.attr.image, "image")
    digest = ctx.outputs.digest
    image = push_image(ctx, ctx.label.name, ctx.attr.format, parts, digest)

    push = dict(
        image.fields,
        build_file = getattr(ctx, "build_file_path", ""),  # gone in Bazel 9
        client_config_dir = docker_settings(ctx).client_config,
        destination = "",
        insecure_repository = ctx.attr.insecure_repository,
        registry = registry,
        repository = repository,
        repository_file = runfiles_path(ctx, ctx.file.repository_file) if ctx.file.repository_file else "",
        rule = "container_push",
        skip_unchanged_digest = ctx.attr.skip_unchanged_digest,
        stamp_files = [runfiles_path(ctx, f) for f in stamp_files],
        tag = tag,
        tag_file = runfiles_path(ctx, ctx.file.tag_file) if ctx.file.tag_file else "",
        target = label_text(ctx.label),
    )
    executable = ctx.actions.declare_file(ctx.label.name + (ctx.attr.extension or launcher_extension(ctx)))
    files = declare_launcher(
        ctx,
        executable,
        {"images": [push], "sequential": False, "version": 1},
        "push",
    )
    return [
        DefaultInfo(
            executable = executable,
            files = depset([digest]),
            runfiles = ctx.runfiles(files = files + image.files + stamp_files + name_files),
        ),
        OutputGroupInfo(exe = depset([executable])),
        PushInfo(
            digest = digest,
            registry = registry,
            repository = repository,
            stamp = stamp,
            stamp_inputs = stamp_files,
            tag = tag,
        ),
    ]
