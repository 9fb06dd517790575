"""Programs under names of their own, for rules of others and for `bazel run`."""

def _is_tool(ctx):
    """Whether the target is built to be run by an action.

    Only the name of the output folder tells: `CPU-opt-exec-...`, or `host` for
    `cfg = "host"` of Bazel 4.
    """
    return "-exec" in ctx.bin_dir.path or "/host/" in ctx.bin_dir.path

def _command_impl(ctx):
    program = ctx.file._program if _is_tool(ctx) else ctx.file._host_program
    extension = ".exe" if program.extension == "exe" else ""
    executable = ctx.actions.declare_file(ctx.label.name + extension)
    ctx.actions.symlink(
        output = executable,
        target_file = program,
        is_executable = True,
        progress_message = "Linking %s" % executable.short_path,
    )
    return [DefaultInfo(
        executable = executable,
        files = depset([executable]),
        runfiles = ctx.runfiles(files = [executable, program]),
    )]

command = rule(
    implementation = _command_impl,
    attrs = {
        "_host_program": attr.label(
            allow_single_file = True,
            default = Label("//toolchains/programs:host"),
        ),
        "_program": attr.label(
            allow_single_file = True,
            default = Label("//toolchains/programs:any"),
        ),
    },
    doc = "The multi-call program, which does what its name says. A tool of an action (`cfg = \"exec\"` or " +
          "`\"host\"`) is for the machine that runs the action, anything else for the one that runs Bazel, whatever " +
          "`--platforms` says.",
    executable = True,
)
