"""Targets that cannot be: the error names the attribute and the remedy."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//container:container.bzl", "container_bundle", "container_image", "container_import", "container_layer", "container_push")

def _failure_impl(ctx):
    env = analysistest.begin(ctx)
    for text in ctx.attr.says:
        asserts.expect_failure(env, text)
    return analysistest.end(env)

_failure_test = analysistest.make(
    _failure_impl,
    attrs = {"says": attr.string_list(doc = "what the error has to contain")},
    expect_failure = True,
)

def failures_tests(name):
    """Declares the tests and what they look at.

    Args:
      name: str, of the suite.
    """
    cases = {
        "bundle": ["images: //tests/starlark:failures_nothing is no image", "name a container_image"],
        "compression": ["compression_options: \"--slow\" is not one of"],
        "data_path": ["leads out of the workspace"],
        "directory": ["leads out of the image"],
        "import": ["config is missing"],
        "launcher_args": ["launcher_args has no effect without launcher"],
        "layer_as_base": ["//tests/starlark:failures_layer_as_base: base //tests/starlark:failures_layer is no image", "name a container_image"],
        "layer_as_image": ["//tests/starlark:failures_layer_as_image: image //tests/starlark:failures_layer is no image", "name a container_image"],
        "mtime": ["both mtime and portable_mtime"],
    }
    container_bundle(
        name = name + "_bundle",
        images = {"registry.test/app:v1": name + "_nothing"},
        tags = ["manual"],
    )
    native.filegroup(
        name = name + "_nothing",
        tags = ["manual"],
    )
    container_layer(
        name = name + "_compression",
        compression_options = ["--slow"],
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_layer(
        name = name + "_data_path",
        data_path = "../../../..",
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_layer(
        name = name + "_directory",
        directory = "/../..",
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_import(
        name = name + "_import",
        layers = [],
        tags = ["manual"],
    )
    container_image(
        name = name + "_launcher_args",
        launcher_args = ["--verbose"],
        tags = ["manual"],
    )
    container_layer(
        name = name + "_layer",
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_image(
        name = name + "_layer_as_base",
        base = name + "_layer",
        tags = ["manual"],
    )
    container_push(
        name = name + "_layer_as_image",
        format = "Docker",
        image = name + "_layer",
        registry = "registry.test",
        repository = "team/app",
        tags = ["manual"],
    )
    container_layer(
        name = name + "_mtime",
        mtime = 1,
        portable_mtime = True,
        tags = ["manual"],
    )
    tests = []
    for case, says in cases.items():
        _failure_test(
            name = "%s_%s_test" % (name, case),
            says = says,
            target_under_test = "%s_%s" % (name, case),
        )
        tests.append("%s_%s_test" % (name, case))
    native.test_suite(
        name = name,
        tests = tests,
    )
