"""The release without its programs, for MODULE.bazel: `use_repo_rule` takes no rule of a
repository that is made by `use_repo_rule`, too."""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

def _without_programs_impl(module_ctx):
    for module in module_ctx.modules:
        for tag in module.tags.archive:
            http_archive(
                name = "without_programs",
                patch_cmds = ["rm -r prebuilt/*/"],
                sha256 = tag.sha256,
                strip_prefix = tag.strip_prefix,
                urls = tag.urls,
            )

_archive = tag_class(attrs = {
    "sha256": attr.string(),
    "strip_prefix": attr.string(),
    "urls": attr.string_list(),
})

without_programs = module_extension(
    implementation = _without_programs_impl,
    tag_classes = {"archive": _archive},
)
