"""The settings of docker and of the access to registries.

Rules read them from `//toolchains/docker:config`, which is `@docker_config//:toolchain`
unless the flag of that name says otherwise. They do not resolve toolchains, because
that makes Bazel 4 to 6 fetch rules_cc and rules_java; the toolchains are there for
rules of others that do."""

load("//container/private:labels.bzl", "label_text")
load("//toolchains/docker:repository.bzl", _toolchain_configure = "toolchain_configure")

DockerToolchainInfo = provider(
    doc = "The settings of docker and of the access to registries.",
    fields = {
        "build_tar_target": "Not used: no tool is left to replace",
        "client_config": "str, directory of a docker config.json, or \"\" for the user's own",
        "docker_flags": "list of str, options of docker before its subcommand",
        "gzip_path": "Not used: compressing is part of building a layer",
        "gzip_target": "Not used",
        "tool_path": "str, path of docker or podman; \"\" looks for either on PATH when a target is run",
        "tool_target": "Target or None: docker or podman, instead of tool_path",
        "xz_path": "Not used: decompressing is part of building a layer",
        "xz_target": "Not used",
    },
)

def _docker_toolchain_impl(ctx):
    if ctx.attr.tool_path and ctx.attr.tool_target:
        fail("%s: tool_path and tool_target exclude each other" % label_text(ctx.label))
    files = depset([ctx.executable.tool_target] if ctx.attr.tool_target else [])
    return [
        platform_common.ToolchainInfo(info = DockerToolchainInfo(
            build_tar_target = ctx.attr.build_tar_target,
            client_config = ctx.attr.client_config,
            docker_flags = ctx.attr.docker_flags,
            gzip_path = ctx.attr.gzip_path,
            gzip_target = ctx.attr.gzip_target,
            tool_path = ctx.attr.tool_path,
            tool_target = ctx.attr.tool_target,
            xz_path = ctx.attr.xz_path,
            xz_target = ctx.attr.xz_target,
        )),
        DefaultInfo(
            files = files,
            runfiles = ctx.attr.tool_target[DefaultInfo].default_runfiles if ctx.attr.tool_target else None,
        ),
    ]

def _tool(doc):
    return attr.label(
        allow_files = True,
        cfg = "exec",
        doc = doc,
        executable = True,
    )

docker_toolchain = rule(
    implementation = _docker_toolchain_impl,
    attrs = {
        "build_tar_target": _tool("Not used."),
        "client_config": attr.string(doc = "Directory of a docker config.json for pushes."),
        "docker_flags": attr.string_list(doc = "Options of docker before its subcommand."),
        "gzip_path": attr.string(doc = "Not used."),
        "gzip_target": _tool("Not used."),
        "tool_path": attr.string(doc = "Path of docker or podman, to load images into."),
        "tool_target": _tool("docker or podman, instead of tool_path."),
        "xz_path": attr.string(doc = "Not used."),
        "xz_target": _tool("Not used."),
    },
    doc = "The settings of docker and of the access to registries. Provides ToolchainInfo(info = DockerToolchainInfo).",
)

def toolchain_configure(name, client_config = None, **kwargs):
    """Makes the repository with the settings; call it `docker_config` before `repositories()`.

    Args:
      name: str, name of the repository.
      client_config: label of a docker config.json or, as in rules_docker 0.16.0, the
        absolute path of the directory that it is in.
      **kwargs: the other attributes: docker_path or docker_target, docker_flags,
        cred_helpers; those for gzip, xz and build_tar are accepted and not used.
    """
    if type(client_config) == type("") and _is_absolute(client_config):
        kwargs["client_config_dir"] = client_config
    elif client_config:
        kwargs["client_config"] = client_config
    if kwargs.get("docker_target", "").startswith("//"):
        # It is read in the repository that is made, and meant in the user's.
        kwargs["docker_target"] = "@" + kwargs["docker_target"]
    _toolchain_configure(name = name, **kwargs)

def _is_absolute(path):
    # `//` begins a label; a letter and a colon, a path on Windows.
    return path.startswith("/") and not path.startswith("//") or path[1:3] in (":/", ":\\")
