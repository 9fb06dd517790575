"""container_flatten: the file system of an image as one tar."""

load("//container:providers.bzl", "FlattenInfo")
load("//container/private:image_build.bzl", "tarball_spec")
load("//container/private:parts.bzl", "image_of")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "run_builder")
load("//container/private:tool_attrs.bzl", "check_tools", "tool_attrs")

def _flatten_impl(ctx):
    check_tools(ctx)
    name = ctx.label.name
    parts = image_of(ctx, name, ctx.attr.image, "image")
    spec_file = ctx.actions.declare_file(name + ".flatten.spec.json")
    inputs = tarball_spec(ctx, spec_file, "legacy", [struct(parts = parts, tag = "image")])
    outputs = [ctx.outputs.filesystem, ctx.outputs.metadata]
    run_builder(
        ctx,
        "flatten",
        {"config": ctx.outputs.metadata, "out": ctx.outputs.filesystem, "spec": spec_file},
        inputs = inputs,
        outputs = outputs,
        mnemonic = "ContainerFlatten",
        message = "Flattening %s" % ctx.attr.image.label,
    )
    return [FlattenInfo(), DefaultInfo(files = depset(outputs))]

_ATTRS = {
    "image": attr.label(
        allow_single_file = [".tar"],
        doc = "The image: container_image, container_import or a docker-save archive.",
        mandatory = True,
    ),
}

container_flatten = rule(
    implementation = _flatten_impl,
    attrs = dict(dict(_ATTRS, **BUILDER_ATTRS), **tool_attrs(["extract_config", "incremental_load_template"])),
    doc = "Merges the layers of an image: `NAME.tar` is what a container finds as its file system, " +
          "`NAME.json` the image's configuration.",
    outputs = {
        "filesystem": "%{name}.tar",
        "metadata": "%{name}.json",
    },
)
