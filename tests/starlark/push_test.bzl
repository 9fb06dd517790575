"""What container_push provides."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//container:container.bzl", "container_image", "container_push")
load("//container:providers.bzl", "PushInfo")

def _plan(env):
    """The plan that is written beside the executable."""
    for action in analysistest.target_actions(env):
        for output in action.outputs.to_list():
            if output.basename.endswith(".push.json"):
                return json.decode(action.content)
    return fail("no action writes a plan")

def _push_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[PushInfo]
    asserts.equals(env, "registry.test:5000", info.registry)
    asserts.equals(env, "team/app", info.repository)
    asserts.equals(env, "v1", info.tag)
    asserts.false(env, info.stamp, "stamped without being asked")
    asserts.equals(env, [info.digest], target[DefaultInfo].files.to_list())

    push = _plan(env)["images"][0]
    asserts.equals(env, "//tests/starlark:push_one", push["target"])
    asserts.equals(env, "OCI", push["format"])
    asserts.true(env, push["insecure_repository"], "the attribute reaches the plan")
    runfiles = {
        ctx.workspace_name + "/" + f.short_path: None
        for f in target[DefaultInfo].default_runfiles.files.to_list()
    }
    for path in push["layers"] + [push["config"], push["manifest"]]:
        asserts.true(env, path in runfiles, "%s is in the runfiles %s" % (path, runfiles.keys()))
    return analysistest.end(env)

_push_test = analysistest.make(_push_impl)

def _stamped_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.true(env, target[PushInfo].stamp, "a name with braces is stamped")
    asserts.true(env, _plan(env)["images"][0]["stamp_files"], "the plan names the workspace status")
    return analysistest.end(env)

_stamped_test = analysistest.make(_stamped_impl)

def push_tests(name):
    """Declares the tests and what they look at.

    Args:
      name: str, of the suite.
    """
    container_image(
        name = name + "_image",
        files = ["BUILD.bazel"],
        tags = ["manual"],
    )
    container_push(
        name = name + "_one",
        format = "OCI",
        image = name + "_image",
        insecure_repository = True,
        registry = "registry.test:5000",
        repository = "team/app",
        tag = "v1",
        tags = ["manual"],
    )
    container_push(
        name = name + "_braces",
        format = "Docker",
        image = name + "_image",
        registry = "registry.test",
        repository = "team/app",
        tag = "{BUILD_USER}",
        tags = ["manual"],
    )
    _push_test(
        name = name + "_one_test",
        target_under_test = name + "_one",
    )
    _stamped_test(
        name = name + "_braces_test",
        target_under_test = name + "_braces",
    )
    native.test_suite(
        name = name,
        tests = [name + "_one_test", name + "_braces_test"],
    )
