"""Implementation of container_layer."""

load(":layer_build.bzl", "declare_layer", "layer_content")
load(":tool_attrs.bzl", "check_tools")

def layer_impl(
        ctx,
        name = None,
        files = None,
        file_map = None,
        empty_files = None,
        empty_dirs = None,
        directory = None,
        symlinks = None,
        debs = None,
        tars = None,
        env = None,
        compression = None,
        compression_options = None,
        operating_system = None,
        output_layer = None):
    """Implements container_layer; rules made from it override what they must.

    Args:
      ctx: the rule's context.
      name: str, overrides the target's name.
      files: list of File, overrides `files`.
      file_map: dict from path in the image to File, added to `files`.
      empty_files: list of str, overrides `empty_files`.
      empty_dirs: list of str, overrides `empty_dirs`.
      directory: str, overrides `directory`.
      symlinks: dict of str, overrides `symlinks`.
      debs: list of File, overrides `debs`.
      tars: list of File, overrides `tars`.
      env: dict of str, overrides `env`.
      compression: str, overrides `compression`.
      compression_options: list of str, overrides `compression_options`.
      operating_system: str, overrides `operating_system`.
      output_layer: File, overrides the output `layer`.

    Returns:
      list of providers: LayerInfo, DefaultInfo.
    """
    check_tools(ctx)
    content = layer_content(ctx, dict(
        compression = compression,
        compression_options = compression_options,
        debs = debs,
        directory = directory,
        empty_dirs = empty_dirs,
        empty_files = empty_files,
        env = env if env != None else {
            ctx.expand_make_variables("env", k, {}): ctx.expand_make_variables("env", v, {})
            for k, v in ctx.attr.env.items()
        },
        file_map = file_map,
        files = files,
        operating_system = operating_system,
        symlinks = symlinks,
        tars = tars,
    ))
    output_layer = output_layer or ctx.outputs.layer
    return [
        declare_layer(ctx, name or ctx.label.name, content, output_layer),
        DefaultInfo(files = depset([output_layer])),
    ]
