"""Implementation of container_bundle."""

load("//container:providers.bzl", "BundleInfo", "StampSettingInfo")
load(":image_build.bzl", "declare_tarball")
load(":labels.bzl", "label_text")
load(":load.bzl", "declare_loader")
load(":parts.bzl", "image_of")
load(":programs.bzl", "launcher_extension")
load(":tool_attrs.bzl", "check_tools")

def _images(ctx):
    """The images of the bundle by their names, make variables expanded."""
    targets = dict(zip(ctx.attr.image_target_strings, ctx.attr.image_targets))
    parts = {}
    for i, text in enumerate(ctx.attr.image_target_strings):
        parts[text] = image_of(ctx, "%s.%d" % (ctx.label.name, i), targets[text], "images:")
    images = {}
    source = {}
    for name, text in ctx.attr.images.items():
        if text not in parts:
            fail("%s: images: %r is not in image_target_strings; use the macro container_bundle" % (label_text(ctx.label), text))
        expanded = ctx.expand_make_variables("images", name, {})
        if source.get(expanded, text) != text:
            fail("%s: images: %s and %s would both be called %r" % (label_text(ctx.label), source[expanded], text, expanded))
        source[expanded] = text
        images[expanded] = parts[text]
    return images

def bundle_impl(ctx):
    """Implements container_bundle.

    Args:
      ctx: the rule's context.

    Returns:
      list of providers: BundleInfo, DefaultInfo, OutputGroupInfo.
    """
    check_tools(ctx)
    images = _images(ctx)
    stamp = ctx.attr.stamp[StampSettingInfo].value or any(["{" in name for name in images])
    stamp_files = [ctx.info_file, ctx.version_file] if stamp else []
    tagged = [struct(parts = parts, tag = name) for name, parts in images.items()]

    tar = ctx.outputs.tar_output or ctx.actions.declare_file(ctx.label.name + ".tar")
    declare_tarball(ctx, tar, ctx.attr.experimental_tarball_format, tagged, stamp_files)
    executable = ctx.actions.declare_file(ctx.label.name + launcher_extension(ctx))
    return [
        BundleInfo(
            container_images = images,
            stamp = stamp,
        ),
        DefaultInfo(
            executable = executable,
            files = depset(),
            runfiles = declare_loader(ctx, executable, tagged, stamp_files = stamp_files),
        ),
        OutputGroupInfo(tar = depset([tar])),
    ]
