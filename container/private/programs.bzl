"""How rules run the Go programs in actions and start them from `bazel run`."""

# Attributes of a rule with actions.
BUILDER_ATTRS = {
    "_builder": attr.label(
        default = Label("//toolchains/programs:imagetool"),
        allow_single_file = True,
        cfg = "exec",
    ),
}

# Attributes of a rule whose executable is one of the programs.
LAUNCHER_ATTRS = {
    "_launcher": attr.label(
        default = Label("//toolchains/programs:host"),
        allow_single_file = True,
    ),
    "_docker": attr.label(
        default = Label("//toolchains/docker:config"),
        providers = [platform_common.ToolchainInfo],
    ),
}

# With automatic exec groups, Bazel 7 and later want to be told that a program is of
# no toolchain; before 6 they do not know the parameter.
NO_TOOLCHAIN = {"toolchain": None} if hasattr(native, "module_name") else {}

def run_builder(ctx, command, arguments, inputs, outputs, mnemonic, message, directory = None):
    """Declares an action that runs a command of the builder.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      command: str, e.g. "layer".
      arguments: dict from flag (without dashes) to File; None leaves the flag out.
      inputs: list of File or depset of File.
      outputs: list of File.
      mnemonic: str.
      message: str, what Bazel shows while the action runs.
      directory: File or None, an output directory for the flag `out`.
    """
    args = ctx.actions.args()
    args.add_all(["builder", command])
    for flag, value in arguments.items():
        if value:
            args.add(value, format = "--%s=%%s" % flag)
    if directory:
        # Bazel 4 wants directories to be added so.
        args.add_all([directory], format_each = "--out=%s", expand_directories = False)
    ctx.actions.run(
        executable = ctx.file._builder,
        arguments = [args],
        inputs = inputs,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = message,
        **NO_TOOLCHAIN
    )

def docker_settings(ctx):
    """The settings of docker and of the access to registries.

    Args:
      ctx: the rule's context, with LAUNCHER_ATTRS.

    Returns:
      DockerToolchainInfo.
    """
    return ctx.attr._docker[platform_common.ToolchainInfo].info

def launcher_extension(ctx):
    """The extension that an executable needs on the machine that runs Bazel.

    Args:
      ctx: the rule's context, with LAUNCHER_ATTRS.

    Returns:
      str: ".exe" or "".
    """
    return ".exe" if ctx.file._launcher.extension == "exe" else ""

def declare_launcher(ctx, executable, plan, kind):
    """Makes `executable` the Go program itself, with its plan beside it.

    Args:
      ctx: the rule's context, with LAUNCHER_ATTRS.
      executable: File to create.
      plan: dict, a spec.PushPlan or spec.LoadPlan.
      kind: str, "push" or "load".

    Returns:
      list of File: what the executable needs in its runfiles.
    """
    ctx.actions.symlink(
        output = executable,
        target_file = ctx.file._launcher,
        is_executable = True,
        progress_message = "Linking %s" % executable.short_path,
    )
    name = executable.basename
    if name.endswith(".exe"):
        name = name[:-len(".exe")]
    plan_file = ctx.actions.declare_file("%s.%s.json" % (name, kind), sibling = executable)
    ctx.actions.write(plan_file, json.encode(plan))
    return [plan_file, ctx.file._launcher]

def runfiles_path(ctx, file):
    """The path of a file below a runfiles root.

    Args:
      ctx: the rule's context.
      file: File.

    Returns:
      str: WORKSPACE/PATH.
    """
    if file.short_path.startswith("../"):
        return file.short_path[len("../"):]
    return ctx.workspace_name + "/" + file.short_path
