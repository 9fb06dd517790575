"""The platform that an image is built for.

Unless `//transitions:enable` is set that is the one of --platforms, and the transition
changes nothing: what an image consists of stays in bazel-bin. It sets no flag but
--platforms, as Bazel 4 takes a flag that is set to its default for a change."""

_ENABLE = str(Label("//transitions:enable"))
_PLATFORMS = "//command_line_option:platforms"

def _image_transition_impl(settings, attr):
    # What a select() chooses is known only after the transition.
    architecture = getattr(attr, "architecture", None)
    operating_system = getattr(attr, "operating_system", None)
    if not settings[_ENABLE] or architecture == None or operating_system == None:
        return {_PLATFORMS: settings[_PLATFORMS]}
    name = "image_%s_%s" % (operating_system, architecture or "amd64")
    return {_PLATFORMS: [str(Label("//platforms:" + name))]}

image_transition = transition(
    implementation = _image_transition_impl,
    inputs = [_ENABLE, _PLATFORMS],
    outputs = [_PLATFORMS],
)

# What a rule with the transition has besides.
TRANSITION_ATTRS = {
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}
