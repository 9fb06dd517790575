"""A rule that gives make variables to whoever names it in toolchains."""

def _variables_impl(ctx):
    return [platform_common.TemplateVariableInfo(ctx.attr.values)]

variables = rule(
    implementation = _variables_impl,
    attrs = {"values": attr.string_dict()},
)
