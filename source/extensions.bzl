"""The module extension `programs`: the Go packages of the container rules, where rules_go is visible.

The module of the rules does not depend on rules_go, so that nobody has to fetch it who
does not use it. Its BUILD files of Go packages load it all the same; this module shows
them where they can.
"""

def _programs_repository_impl(repository_ctx):
    rules = repository_ctx.path(Label("@io_bazel_rules_docker//:go.mod")).dirname
    repository_ctx.file("BUILD.bazel")
    repository_ctx.symlink(rules.get_child("container").get_child("go"), "container/go")

_programs_repository = repository_rule(
    implementation = _programs_repository_impl,
    doc = "The folder container/go of the container rules, at the same place.",
)

def _programs_impl(module_ctx):
    _programs_repository(name = "programs")
    return module_ctx.extension_metadata(reproducible = True)

programs = module_extension(
    implementation = _programs_impl,
    doc = "The repository `programs` with the Go packages of the container rules.",
)
