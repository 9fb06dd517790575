"""Checksums of files, for rules of others."""

load("//container/private:programs.bzl", "BUILDER_ATTRS", "run_builder")

# The attributes that a rule needs to call sha256().
tools = BUILDER_ATTRS

# buildifier: disable=unused-variable
def sha256(ctx, artifact, execution_requirements = None):
    """Declares the action that writes the checksum of a file.

    Args:
      ctx: the rule's context, with `tools`.
      artifact: File.
      execution_requirements: dict of str, accepted and not used.

    Returns:
      File: the sha256 as hex, without a line break.
    """
    checksum = ctx.actions.declare_file(artifact.basename + ".sha256")
    metadata = ctx.actions.declare_file(artifact.basename + ".metadata.json")
    run_builder(
        ctx,
        "blob",
        {"blob-sum": checksum, "in": artifact, "metadata": metadata},
        inputs = [artifact],
        outputs = [checksum, metadata],
        mnemonic = "SHA256",
        message = "Reading %s" % artifact.short_path,
    )
    return checksum
