"""Checksums of files, for rules of others."""

load("//container/private:programs.bzl", "NO_TOOLCHAIN")
load("//container/private:tool_attrs.bzl", "tool_attrs")

# The attributes that a rule needs to call sha256().
tools = tool_attrs(["sha256"])

def sha256(ctx, artifact, execution_requirements = None):
    """Declares the action that writes the checksum of a file.

    Args:
      ctx: the rule's context, with `tools`.
      artifact: File.
      execution_requirements: dict of str for the action, or None.

    Returns:
      File: the sha256 as hex, without a line break.
    """
    checksum = ctx.actions.declare_file(artifact.basename + ".sha256")
    ctx.actions.run(
        executable = ctx.executable.sha256,
        arguments = [artifact.path, checksum.path],
        inputs = [artifact],
        outputs = [checksum],
        mnemonic = "SHA256",
        progress_message = "Reading %s" % artifact.short_path,
        execution_requirements = execution_requirements,
        **NO_TOOLCHAIN
    )
    return checksum
