"""Tests of //repositories:go_repositories.bzl."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//repositories:go_repositories.bzl", "go_deps")

_PREFIX = "module_"

# What go_deps calls for each module, in place of gazelle's rule.
def _go_repository(name, build_config, importpath, sum, version):
    native.filegroup(
        name = _PREFIX + name,
        srcs = [build_config],
        tags = ["manual", importpath, sum, version],
    )

def _declared():
    return [rule[len(_PREFIX):] for rule in native.existing_rules() if rule.startswith(_PREFIX)]

def _go_deps_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, [], ctx.attr.untold, "whoever has no Go rules goes on without them")
    for name in ["com_github_google_go_containerregistry", "org_golang_x_sync"]:
        asserts.true(env, name in ctx.attr.told, "%s is among %s" % (name, ctx.attr.told))
    return unittest.end(env)

_go_deps_test = unittest.make(_go_deps_impl, attrs = {
    "told": attr.string_list(doc = "what is declared if go_deps is told how"),
    "untold": attr.string_list(doc = "what is declared if it is not"),
})

def go_deps_tests(name):
    """Declares the tests.

    Args:
      name: str, of the test.
    """
    go_deps()
    go_deps(go_repository_default_config = "@//:WORKSPACE")
    untold = _declared()
    go_deps(go_repository = _go_repository)
    _go_deps_test(
        name = name,
        told = _declared(),
        untold = untold,
    )
