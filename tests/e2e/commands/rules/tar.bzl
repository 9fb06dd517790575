"""A program in the place of build_tar, which puts one more file into every layer."""

load("@io_bazel_rules_docker//skylib:path.bzl", "runfile")

def _own_tar_impl(ctx):
    # A link under another name still finds out what it is.
    tar = ctx.actions.declare_file(ctx.label.name + "/program")
    ctx.actions.symlink(output = tar, target_file = ctx.executable._build_tar, is_executable = True)
    script = ctx.actions.declare_file(ctx.label.name + "/tar.sh")
    ctx.actions.write(
        script,
        "#!/bin/sh\nexec \"$0.runfiles/%s\" \"$@\" --empty_file=made/by/own_tar\n" % runfile(ctx, tar),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(files = [tar]).merge(ctx.attr._build_tar[DefaultInfo].default_runfiles),
    )]

own_tar = rule(
    implementation = _own_tar_impl,
    attrs = {
        "_build_tar": attr.label(
            cfg = "target",
            default = "@io_bazel_rules_docker//container:build_tar",
            executable = True,
        ),
    },
    executable = True,
)
