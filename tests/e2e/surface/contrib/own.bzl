"""A rule of a user, made from what layer_tools.bzl offers."""

load("@io_bazel_rules_docker//container:layer_tools.bzl", "assemble", "get_from_target", "incremental_load", "tools")
load("@io_bazel_rules_docker//skylib:filetype.bzl", "container")
load("@io_bazel_rules_docker//skylib:label.bzl", "string_to_label")
load("@io_bazel_rules_docker//skylib:path.bzl", "runfile")

def _own_impl(ctx):
    image = string_to_label([ctx.attr.image], ["image"])["image"]
    images = {"localhost/own:1": get_from_target(ctx, ctx.label.name, image)}
    assemble(ctx, images, ctx.outputs.out, "compressed")
    executable = ctx.actions.declare_file(ctx.label.name)
    if not runfile(ctx, executable).endswith("contrib/" + ctx.label.name):
        fail("runfile: %s" % runfile(ctx, executable))
    runfiles = incremental_load(ctx, images, executable)
    return [DefaultInfo(executable = executable, runfiles = runfiles)]

own = rule(
    implementation = _own_impl,
    attrs = dict({"image": attr.label(allow_files = container)}, **tools),
    executable = True,
    outputs = {"out": "%{name}.tar"},
)
