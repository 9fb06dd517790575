"""Compression of files, for rules of others."""

load("//container/private:programs.bzl", "BUILDER_ATTRS", "run_builder")

# The attributes that a rule needs to call these functions.
tools = BUILDER_ATTRS

# buildifier: disable=unused-variable
def gzip(ctx, artifact, options = None):
    """Declares the action that compresses a file.

    Args:
      ctx: the rule's context, with `tools`.
      artifact: File.
      options: list of str, accepted and not used: the outcome is always the same.

    Returns:
      File.
    """
    zipped = ctx.actions.declare_file(artifact.basename + ".gz")
    metadata = ctx.actions.declare_file(artifact.basename + ".gz.metadata.json")
    run_builder(
        ctx,
        "blob",
        {"in": artifact, "metadata": metadata, "out": zipped},
        inputs = [artifact],
        outputs = [metadata, zipped],
        mnemonic = "GZIP",
        message = "Compressing %s" % artifact.short_path,
    )
    return zipped

def gunzip(ctx, artifact):
    """Declares the action that decompresses a file: gzip, xz, bzip2 or zstd.

    Args:
      ctx: the rule's context, with `tools`.
      artifact: File.

    Returns:
      File.
    """
    unzipped = ctx.actions.declare_file(artifact.basename + ".nogz")
    run_builder(
        ctx,
        "decompress",
        {"in": artifact, "out": unzipped},
        inputs = [artifact],
        outputs = [unzipped],
        mnemonic = "GUNZIP",
        message = "Decompressing %s" % artifact.short_path,
    )
    return unzipped
