"""container_pull: an image from a registry, as the repository of the same name."""

load("//container/private:pull_impl.bzl", "PULL_ATTRS", "PULL_ENVIRON", "pull_impl")
load("//container/private:pull_rule.bzl", _container_pull = "container_pull")

# For repository rules that are made from container_pull.
pull = struct(
    attrs = PULL_ATTRS,
    environ = PULL_ENVIRON,
    implementation = pull_impl,
)

def container_pull(name, docker_client_config = None, **kwargs):
    """Pulls an image, which is then @NAME//image.

    Args:
      name: str, name of the repository.
      docker_client_config: label of a docker config.json or, as in rules_docker
        0.16.0, the absolute path of the directory that it is in.
      **kwargs: the other attributes of the rule.
    """
    if type(docker_client_config) == type("") and _is_absolute(docker_client_config):
        kwargs["docker_client_config_dir"] = docker_client_config
    elif docker_client_config:
        kwargs["docker_client_config"] = docker_client_config
    _container_pull(name = name, **kwargs)

def _is_absolute(path):
    # `//` begins a label; a letter and a colon, a path on Windows.
    return path.startswith("/") and not path.startswith("//") or path[1:3] in (":/", ":\\")
