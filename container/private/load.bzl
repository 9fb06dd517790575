"""The executable that loads images into docker or podman."""

load(":image_build.bzl", "tarball_files", "tarball_image")
load(":labels.bzl", "label_text")
load(":programs.bzl", "declare_launcher", "docker_settings", "runfiles_path")

def declare_loader(ctx, executable, tagged, run = False, run_flags = "", stamp_files = []):
    """Makes `executable` a loader of images.

    Args:
      ctx: the rule's context, with LAUNCHER_ATTRS.
      executable: File to create.
      tagged: list of struct of tag: str, and parts: dict.
      run: bool, whether to start a container of the only image.
      run_flags: str, options of docker run.
      stamp_files: list of File that replace {KEY} in the tags.

    Returns:
      runfiles.
    """
    docker = docker_settings(ctx)
    tool = docker.tool_path
    runfiles = ctx.runfiles()
    if docker.tool_target:
        runfiles = ctx.attr._docker[DefaultInfo].default_runfiles.merge(ctx.runfiles(files = ctx.files._docker))
        tool = runfiles_path(ctx, ctx.files._docker[0])
    plan = {
        "run": run,
        "run_flags": run_flags,
        "tarball": {
            "format": "legacy",
            "images": [tarball_image(ctx, t.tag, t.parts, runfiles_path) for t in tagged],
            "stamp_files": [runfiles_path(ctx, f) for f in stamp_files],
            "target": label_text(ctx.label),
            "version": 1,
        },
        "tool": tool,
        "tool_flags": docker.docker_flags,
        "version": 1,
    }
    files = declare_launcher(ctx, executable, plan, "load") + stamp_files
    for t in tagged:
        files = files + tarball_files(t.parts)
    return ctx.runfiles(files = files).merge(runfiles)
