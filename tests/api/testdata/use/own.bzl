"""Rules that are made of the parts that rules_docker offers for that."""

load("@io_bazel_rules_docker//container:container.bzl", "container")
load("@io_bazel_rules_docker//container:layer.bzl", "build_layer", "layer", "zip_layer")
load("@io_bazel_rules_docker//container:layer_tools.bzl", "generate_args_for_image", "get_from_target", layer_tools = "tools")
load("@io_bazel_rules_docker//skylib:docker.bzl", "docker_path")
load("@io_bazel_rules_docker//skylib:hash.bzl", "sha256", hash_tools = "tools")
load("@io_bazel_rules_docker//skylib:zip.bzl", "gunzip", "gzip", zip_tools = "tools")

# As rules were made from rules_docker 0.16.0, and as from its last state.
early_image = rule(
    implementation = container.image.implementation,
    attrs = container.image.attrs,
    executable = True,
    outputs = container.image.outputs,
)

late_image = rule(
    implementation = container.image.implementation,
    attrs = container.image.attrs,
    cfg = container.image.cfg,
    executable = True,
    outputs = container.image.outputs,
)

def _steps_impl(ctx):
    tar, diff_id = build_layer(ctx, ctx.label.name, ctx.actions.declare_file("steps-layer.tar"))
    blob, blob_sum = zip_layer(ctx, tar)
    file = ctx.files.files[0]
    zipped = gzip(ctx, file)
    return [DefaultInfo(files = depset([tar, diff_id, blob, blob_sum, sha256(ctx, file), zipped, gunzip(ctx, zipped)]))]

steps = rule(
    implementation = _steps_impl,
    attrs = dict(dict(layer.attrs, **hash_tools), **zip_tools),
)

def _image_arguments_impl(ctx):
    image = get_from_target(ctx, ctx.label.name, ctx.attr.image)
    args, inputs = generate_args_for_image(ctx, image)
    output = ctx.actions.declare_file(ctx.label.name + ".txt")
    docker = ctx.attr._docker[platform_common.ToolchainInfo].info
    ctx.actions.write(output, "\n".join(args + [f.path for f in inputs] + ["docker: " + docker_path(docker), ""]))
    return [DefaultInfo(files = depset([output]))]

image_arguments = rule(
    implementation = _image_arguments_impl,
    attrs = dict({"image": attr.label()}, **layer_tools),
)
