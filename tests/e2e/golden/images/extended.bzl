"""A rule of a user, made out of container_image's."""

load("@io_bazel_rules_docker//container:container.bzl", "container")

def _extended_impl(ctx):
    return container.image.implementation(
        ctx,
        cmd = ["from the rule"],
        directory = "/own",
        env = {"RULE": "$A"},
        file_map = {"/mapped/file": ctx.files.files[0]},
        symlinks = {"/link": "own"},
        user = "rule",
    )

extended = rule(
    implementation = _extended_impl,
    attrs = container.image.attrs,
    executable = True,
    outputs = container.image.outputs,
)
