"""The two halves of making a layer, for rules of others that do them one by one."""

load(":layer_build.bzl", "declare_layer", "describe_layer", "layer_content")

def build_layer(
        ctx,
        name,
        output_layer,
        files = None,
        file_map = None,
        empty_files = None,
        empty_dirs = None,
        directory = None,
        symlinks = None,
        debs = None,
        tars = None,
        operating_system = None):
    """Declares the action that makes the tar of a layer.

    None means the attribute of the same name.

    Args:
      ctx: the rule's context, with the attributes of container_layer.
      name: str, unique in the package: prefix of the files to declare.
      output_layer: File, the tar to make.
      files: list of File.
      file_map: dict from path in the image to File, added to `files`.
      empty_files: list of str.
      empty_dirs: list of str.
      directory: str.
      symlinks: dict of str.
      debs: list of File.
      tars: list of File.
      operating_system: str.

    Returns:
      (File, File): the tar, and its hex sha256.
    """
    content = layer_content(ctx, dict(
        compression = "none",
        compression_options = [],
        debs = debs,
        directory = directory,
        empty_dirs = empty_dirs,
        empty_files = empty_files,
        file_map = file_map,
        files = files,
        operating_system = operating_system,
        symlinks = symlinks,
        tars = tars,
    ))
    layer = declare_layer(ctx, name, content, output_layer)
    return layer.unzipped_layer, layer.diff_id

# buildifier: disable=unused-variable
def zip_layer(ctx, layer, compression = "", compression_options = None):
    """Declares the action that makes the gzip blob of a layer.

    Args:
      ctx: the rule's context, with the attributes of container_layer.
      layer: File, the tar.
      compression: str, "gzip" or "".
      compression_options: list of str, accepted and not used: the blob of a tar is
        always the same.

    Returns:
      (File, File): the blob, and its hex sha256.
    """
    if compression not in ("", "gzip"):
        fail("zip_layer: compression %r is not gzip" % compression)
    zipped = describe_layer(ctx, layer.basename, layer, recompress = True)
    return zipped.zipped_layer, zipped.blob_sum
