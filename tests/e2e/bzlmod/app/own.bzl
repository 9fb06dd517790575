"""A module extension as most are: Bazel keeps in MODULE.bazel.lock what came of it."""

def _file_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", "exports_files([\"file\"])")
    repository_ctx.file("file", repository_ctx.attr.content)

_file = repository_rule(
    implementation = _file_impl,
    attrs = {"content": attr.string()},
)

def _own_impl(_module_ctx):
    _file(
        name = "own",
        content = "first",
    )

own = module_extension(implementation = _own_impl)
