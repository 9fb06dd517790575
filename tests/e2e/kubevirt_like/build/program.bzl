"""program: stands for whatever compiles a program for the target platform."""

def _program_impl(ctx):
    program = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = program, target_file = ctx.file.compiled)
    return [DefaultInfo(files = depset([program]))]

program = rule(
    implementation = _program_impl,
    attrs = {"compiled": attr.label(allow_single_file = True, mandatory = True)},
    doc = "A compiled program under the name of the target.",
)
