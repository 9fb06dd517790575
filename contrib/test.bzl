"""container_test: a test of what is in an image."""

load("//container/private:image_build.bzl", "tarball_files", "tarball_image")
load("//container/private:image_tests.bzl", "declare_test")
load("//container/private:labels.bzl", "label_text")
load("//container/private:parts.bzl", "parts_of")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS", "runfiles_path")

def _container_test_impl(ctx):
    if ctx.attr.driver == "host":
        fail("%s: driver: host tests the machine that runs the test and no image; it is not supported" % label_text(ctx.label))
    parts = parts_of(ctx, ctx.label.name, ctx.attr.image)
    if parts == None:
        fail("%s: image %s is no image; name a container_image, a container_import or a docker-save archive" %
             (label_text(ctx.label), label_text(ctx.attr.image.label)))
    return declare_test(
        ctx,
        {"structure": {
            "configs": [runfiles_path(ctx, f) for f in ctx.files.configs],
            "image": tarball_image(ctx, "", parts, runfiles_path),
        }},
        ctx.files.configs + tarball_files(parts),
    )

_ATTRS = {
    "configs": attr.label_list(
        allow_files = True,
        doc = "Documents of container-structure-test, schema 2.0.0: fileExistenceTests, fileContentTests, metadataTest.",
        mandatory = True,
    ),
    "driver": attr.string(
        default = "docker",
        doc = "Not used: the layers are read without docker. `host` is an error.",
        values = ["docker", "host", "tar"],
    ),
    "image": attr.label(
        allow_files = True,
        doc = "The image: container_image, container_import or a docker-save archive.",
        mandatory = True,
    ),
    "verbose": attr.bool(doc = "Not used: every test is listed."),
}

# Queries know the rule by this name.
_container_test = rule(
    implementation = _container_test_impl,
    attrs = dict(dict(_ATTRS, **BUILDER_ATTRS), **LAUNCHER_ATTRS),
    doc = "Tests an image against documents of container-structure-test.",
    test = True,
)

def container_test(name, image, configs, driver = None, verbose = None, **kwargs):
    """Tests what is in an image, without docker.

    Args:
      name: str, name of the test.
      image: label, the image.
      configs: list of label, documents of container-structure-test.
      driver: str, accepted and not used, but for "host", which is an error.
      verbose: bool, accepted and not used.
      **kwargs: the attributes of every test.
    """
    _container_test(
        name = name,
        configs = configs,
        driver = driver or "docker",
        image = image,
        verbose = bool(verbose),
        **kwargs
    )
