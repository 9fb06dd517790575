"""A rule as others have it: it resolves the docker toolchain."""

_TYPE = "@io_bazel_rules_docker//toolchains/docker:toolchain_type"

def _settings_impl(ctx):
    info = ctx.toolchains[_TYPE].info
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(out, "docker: %s, xz: %s\n" % (info.tool_target.label.name, info.xz_path))
    return DefaultInfo(files = depset([out]))

settings = rule(
    implementation = _settings_impl,
    doc = "Writes what the docker toolchain says.",
    toolchains = [_TYPE],
)
