"""The repository rule behind toolchain_configure."""

_BUILD = '''load({toolchain}, "docker_toolchain")

docker_toolchain(
    name = "toolchain",
    client_config = {client_config},
    docker_flags = {docker_flags},
    tool_path = {docker_path},
    tool_target = {docker_target},
    visibility = ["//visibility:public"],
)
'''

_PULL = '''"""container_pull with the settings of toolchain_configure()."""

load({pull}, _container_pull = "container_pull")

def container_pull(**kwargs):
    """container_pull with the credentials of this repository.

    Args:
      **kwargs: the attributes of container_pull but docker_client_config.
    """
    if "docker_client_config" in kwargs:
        fail("docker_client_config is what toolchain_configure() was given; load container_pull " +
             "from the container rules to set another")
    _container_pull(docker_client_config = {client_config}, **dict({helpers}, **kwargs))
'''

def _client_config(repository_ctx):
    """The directory of config.json as (text for docker_toolchain, text for container_pull)."""
    given = repository_ctx.attr.client_config
    if not given:
        return repository_ctx.attr.client_config_dir, repository_ctx.attr.client_config_dir
    path = repository_ctx.path(given)
    if not path.exists or path.basename != "config.json":
        fail("client_config: %s is no file called config.json; docker's settings have that name" % path)
    return str(path.dirname), str(given)

def _toolchain_configure_impl(repository_ctx):
    attrs = repository_ctx.attr
    if attrs.docker_path and attrs.docker_target:
        fail("docker_path and docker_target exclude each other")
    directory, for_pull = _client_config(repository_ctx)
    repository_ctx.file("BUILD.bazel", _BUILD.format(
        client_config = repr(directory),
        docker_flags = repr(attrs.docker_flags),
        docker_path = repr(attrs.docker_path),
        docker_target = repr(attrs.docker_target or None),
        toolchain = repr(str(Label("//toolchains/docker:toolchain.bzl"))),
    ))
    if for_pull:
        repository_ctx.file("pull.bzl", _PULL.format(
            client_config = repr(for_pull),
            helpers = repr({"cred_helpers": attrs.cred_helpers} if attrs.cred_helpers else {}),
            pull = repr(str(Label("//container:pull.bzl"))),
        ))

toolchain_configure = repository_rule(
    implementation = _toolchain_configure_impl,
    attrs = {
        "build_tar_target": attr.label(doc = "Not used."),
        "client_config": attr.label(doc = "A docker config.json."),
        "client_config_dir": attr.string(doc = "Directory of a docker config.json."),
        "cred_helpers": attr.string_list(doc = "Directories or programs of credential helpers, for pulls."),
        "docker_flags": attr.string_list(doc = "Options of docker before its subcommand."),
        "docker_path": attr.string(doc = "Path of docker or podman."),
        "docker_target": attr.string(doc = "Label of docker or podman."),
        "gzip_path": attr.string(doc = "Not used."),
        "gzip_target": attr.label(doc = "Not used."),
        "xz_path": attr.string(doc = "Not used."),
        "xz_target": attr.label(doc = "Not used."),
    },
    doc = "Makes @NAME//:toolchain, a docker_toolchain and, with client_config, @NAME//:pull.bzl.",
)
