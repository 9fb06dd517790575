"""What container_image and container_layer provide."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//container:container.bzl", "container_image", "container_layer")
load("//container:providers.bzl", "ImageInfo", "LayerInfo")

def _names(files):
    return [f.basename for f in files]

def _layer_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[LayerInfo]
    asserts.equals(env, {"MODE": "test"}, info.env)
    asserts.true(env, info.zipped_layer.basename.endswith(".tar.gz"), "the blob is %s" % info.zipped_layer.basename)
    asserts.true(env, info.unzipped_layer in target[DefaultInfo].files.to_list(), "the tar is the target's output")
    return analysistest.end(env)

_layer_test = analysistest.make(_layer_impl)

def _image_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[ImageInfo]
    parts = info.container_parts
    asserts.equals(env, ctx.attr.layers, len(parts["zipped_layer"]), "layers")
    for key in ["blobsum", "diff_id", "layer_metadata", "unzipped_layer"]:
        asserts.equals(env, ctx.attr.layers, len(parts[key]), key)
    for key in ["config", "config_digest", "digest", "docker_manifest", "oci_manifest"]:
        asserts.true(env, parts[key], key)
    asserts.equals(env, None, parts["legacy"], "nothing is a docker-save archive")
    asserts.equals(env, [ctx.attr.image + "-layer.tar"], _names(target[DefaultInfo].files.to_list()))
    asserts.false(env, info.stamp, "stamped without being asked")

    # One action per layer and one per image, and none of them runs a shell.
    mnemonics = [a.mnemonic for a in analysistest.target_actions(env)]
    for mnemonic in ["ContainerImage", "ContainerLayer"]:
        asserts.equals(env, [mnemonic], [m for m in mnemonics if m == mnemonic], "among %s" % mnemonics)
    for action in analysistest.target_actions(env):
        for argument in action.argv or []:
            asserts.false(env, argument.endswith("bash"), "%s runs %s" % (action.mnemonic, action.argv))
    return analysistest.end(env)

def _saved_impl(ctx):
    env = analysistest.begin(ctx)
    parts = analysistest.target_under_test(env)[ImageInfo].container_parts
    asserts.true(env, parts["unpacked"], "the base is a docker-save archive")
    return analysistest.end(env)

_saved_test = analysistest.make(_saved_impl)

_image_test = analysistest.make(_image_impl, attrs = {
    "image": attr.string(doc = "name of the image"),
    "layers": attr.int(doc = "how many layers it has"),
})

def image_tests(name):
    """Declares the tests and what they look at.

    Args:
      name: str, of the suite.
    """
    container_layer(
        name = name + "_layer",
        env = {"MODE": "test"},
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_image(
        name = name + "_base",
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_image(
        name = name + "_top",
        base = name + "_base",
        files = ["BUILD.bazel"],
        layers = [name + "_layer"],
        tags = ["manual"],
    )
    _layer_test(
        name = name + "_layer_test",
        target_under_test = name + "_layer",
    )
    _image_test(
        name = name + "_base_test",
        image = name + "_base",
        layers = 1,
        target_under_test = name + "_base",
    )
    _image_test(
        name = name + "_top_test",
        image = name + "_top",
        layers = 3,
        target_under_test = name + "_top",
    )
    saved = []
    for extension in ["tar.bz2", "tar.zst"]:
        native.genrule(
            name = "%s_saved_%s" % (name, extension),
            outs = ["saved." + extension],
            cmd = "false",
            tags = ["manual"],
        )
        container_image(
            name = "%s_on_saved_%s" % (name, extension),
            base = "saved." + extension,
            tags = ["manual"],
        )
        _saved_test(
            name = "%s_on_saved_%s_test" % (name, extension),
            target_under_test = "%s_on_saved_%s" % (name, extension),
        )
        saved.append("%s_on_saved_%s_test" % (name, extension))
    native.test_suite(
        name = name,
        tests = [name + "_layer_test", name + "_base_test", name + "_top_test"] + saved,
    )
