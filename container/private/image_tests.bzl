"""What the test rules share. Their executable is the Go program with a spec.TestPlan."""

load("//container:providers.bzl", "ImageInfo", "ImportInfo")
load(":labels.bzl", "label_text")
load(":programs.bzl", "declare_launcher", "launcher_extension", "runfiles_path")

def id_source(ctx, target):
    """Where the program finds the ids of a target's images.

    Args:
      ctx: the rule's context.
      target: Target with ImageInfo or ImportInfo, or with docker-save archives.

    Returns:
      list of struct of fields: dict, a spec.IDSource, and file: File.
    """
    if ImageInfo in target or ImportInfo in target:
        info = target[ImageInfo] if ImageInfo in target else target[ImportInfo]
        config = info.container_parts["config"]
        return [struct(
            fields = {"config": runfiles_path(ctx, config), "name": label_text(target.label), "tarball": ""},
            file = config,
        )]
    return [
        struct(
            fields = {"config": "", "name": f.short_path, "tarball": runfiles_path(ctx, f)},
            file = f,
        )
        for f in target.files.to_list()
    ]

def declare_test(ctx, test, files):
    """Makes the executable of a test.

    Args:
      ctx: the rule's context, with LAUNCHER_ATTRS.
      test: dict, the part of a spec.TestPlan that differs.
      files: list of File that the plan refers to.

    Returns:
      list of providers.
    """
    executable = ctx.actions.declare_file(ctx.label.name + launcher_extension(ctx))
    plan = dict({"same_id": None, "structure": None, "target": label_text(ctx.label), "version": 1}, **test)
    needed = declare_launcher(ctx, executable, plan, "test")
    return [DefaultInfo(
        executable = executable,
        runfiles = ctx.runfiles(files = needed + files),
    )]
