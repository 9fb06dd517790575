"""Layers whose tar is made by a program of the user's: the attribute `build_layer`."""

load(":labels.bzl", "label_text")
load(":paths.bzl", "paths")
load(":programs.bzl", "NO_TOOLCHAIN")

def declare_tool_tar(ctx, name, content, mtime, output):
    """Declares the action that runs `build_layer`, with the flags of rules_docker's build_tar.

    Args:
      ctx: the rule's context, with LAYER_ATTRS.
      name: str, name of the target that the layer belongs to.
      content: struct, from layer_content.
      mtime: int, in seconds since the epoch.
      output: File, the tar.
    """
    if content.file_map and content.directory.strip("/"):
        # Whether directory counts for these files is the program's own affair.
        fail("%s: with build_layer, directory cannot go with a launcher or a file_map; put the directory into data_path or tars" % label_text(ctx.label))
    windows = content.operating_system == "windows"
    manifest = ctx.actions.declare_file("%s-layer.manifest" % name)
    ctx.actions.write(manifest, json.encode({
        "debs": [f.path for f in content.debs],
        "empty_dirs": content.empty_dirs,
        "empty_files": content.empty_files,
        "empty_root_dirs": ["Files", "Hives"] if windows else [],
        "files": [
            {"dst": paths.relative(f.short_path, ctx.attr.data_path, ctx.label.package), "src": f.path}
            for f in content.files
        ] + [
            {"dst": path, "src": f.path}
            for path, f in content.file_map.items()
        ],
        "symlinks": [{"linkname": k, "target": v} for k, v in content.symlinks.items()],
        "tars": [f.path for f in content.tars],
    }))
    args = ctx.actions.args()
    args.add(output, format = "--output=%s")
    args.add("--directory=" + content.directory)
    args.add("--mode=" + ctx.attr.mode)
    args.add("--mtime=%d" % mtime)
    if ctx.attr.enable_mtime_preservation:
        args.add("--enable_mtime_preservation=true")
    if windows:
        args.add("--root_directory=Files")
        args.add("--force_posixpath=true")
    args.add(manifest, format = "--manifest=%s")
    ctx.actions.run(
        executable = ctx.executable.build_layer,
        arguments = [args],
        inputs = [manifest] + content.files + content.file_map.values() + content.tars + content.debs,
        outputs = [output],
        mnemonic = "ImageLayer",
        progress_message = "Building layer %s by %s" % (output.short_path, label_text(ctx.attr.build_layer.label)),
        use_default_shell_env = True,
        **NO_TOOLCHAIN
    )
