"""A push in the manner of rules_k8s and rules_gitops: a rule of somebody else's that
puts rules_docker's programs to its own use, by their labels and flags."""

load("@io_bazel_rules_docker//container:layer_tools.bzl", "get_from_target", "tools")
load("@io_bazel_rules_docker//container:providers.bzl", "PushInfo")
load("@io_bazel_rules_docker//skylib:path.bzl", "runfile")

_LAYER = ["zipped_layer", "unzipped_layer", "blobsum", "diff_id"]

def _path(ctx, file, runfiles):
    return runfile(ctx, file) if runfiles else file.path

def _image_flags(ctx, parts, runfiles):
    flags = ["--config=" + _path(ctx, parts["config"], runfiles)]
    if parts["legacy"]:
        flags.append("--tarball=" + _path(ctx, parts["legacy"], runfiles))
    for i in range(len(parts["zipped_layer"])):
        flags.append("--layer=" + ",".join([_path(ctx, parts[kind][i], runfiles) for kind in _LAYER]))
    return flags + ["-format", ctx.attr.format]

def _push_impl(ctx):
    parts = get_from_target(ctx, ctx.label.name, ctx.attr.image)
    inputs = [parts["config"]] + ([parts["legacy"]] if parts["legacy"] else [])
    for kind in _LAYER:
        inputs = inputs + parts[kind]
    ctx.actions.run(
        executable = ctx.executable._digester,
        arguments = ["--dst", ctx.outputs.digest.path] + _image_flags(ctx, parts, False),
        inputs = inputs,
        mnemonic = "OwnDigest",
        outputs = [ctx.outputs.digest],
    )

    destination = "%s/%s:%s" % (ctx.attr.registry, ctx.attr.repository, ctx.attr.tag)
    flags = _image_flags(ctx, parts, True) + ["-dst=" + destination]
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        "#!/bin/sh\ncd \"$0.runfiles\" && exec ./%s %s \"$@\"\n" % (runfile(ctx, ctx.executable._pusher), " ".join(flags)),
        is_executable = True,
    )
    return [
        DefaultInfo(
            executable = script,
            files = depset([ctx.outputs.digest]),
            runfiles = ctx.runfiles(files = inputs).merge(ctx.attr._pusher[DefaultInfo].default_runfiles),
        ),
        PushInfo(
            digest = ctx.outputs.digest,
            registry = ctx.attr.registry,
            repository = ctx.attr.repository,
        ),
    ]

own_push = rule(
    implementation = _push_impl,
    attrs = dict({
        "format": attr.string(default = "Docker"),
        "image": attr.label(allow_files = True, mandatory = True),
        "registry": attr.string(mandatory = True),
        "repository": attr.string(mandatory = True),
        "tag": attr.string(default = "latest"),
        "_digester": attr.label(
            allow_files = True,
            cfg = "exec",
            default = "@io_bazel_rules_docker//container/go/cmd/digester",
            executable = True,
        ),
        "_pusher": attr.label(
            allow_files = True,
            cfg = "target",
            default = "@io_bazel_rules_docker//container/go/cmd/pusher",
            executable = True,
        ),
    }, **tools),
    executable = True,
    outputs = {"digest": "%{name}.digest"},
)
