"""compare_ids_test: a test that images are the same."""

load("//container/private:image_tests.bzl", "declare_test", "id_source")
load("//container/private:programs.bzl", "LAUNCHER_ATTRS")

def _compare_ids_test_impl(ctx):
    sources = []
    for target in ctx.attr.images:
        sources.extend(id_source(ctx, target))
    return declare_test(
        ctx,
        {"same_id": {"id": ctx.attr.id, "images": [source.fields for source in sources]}},
        [source.file for source in sources],
    )

_ATTRS = {
    "id": attr.string(
        doc = "The image id that all have to have, as hex; by default that of the first.",
    ),
    "images": attr.label_list(
        allow_files = True,
        doc = "The images: container_image, container_import or docker-save archives.",
        mandatory = True,
    ),
}

compare_ids_test = rule(
    implementation = _compare_ids_test_impl,
    attrs = dict(_ATTRS, **LAUNCHER_ATTRS),
    doc = "Tests that all images have the same id, the digest of the configuration.",
    test = True,
)
