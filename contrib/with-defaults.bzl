"""defaults: container_push with a registry, repository or tag that need not be repeated."""

_TEMPLATE = '''"""container_push with defaults, made by defaults() in WORKSPACE."""

load({push}, _container_push = "container_push")

_DEFAULTS = {defaults}

def _push(kwargs):
    for key, value in _DEFAULTS.items():
        kwargs.setdefault(key, value)
    _container_push(**kwargs)

def container_push(**kwargs):
    """container_push with the defaults.

    Args:
      **kwargs: the attributes of container_push.
    """
    _push(kwargs)

def docker_push(**kwargs):
    """container_push of Docker's format with the defaults.

    Args:
      **kwargs: the attributes of container_push but format.
    """
    kwargs["format"] = "Docker"
    _push(kwargs)

def oci_push(**kwargs):
    """container_push of the OCI's format with the defaults.

    Args:
      **kwargs: the attributes of container_push but format.
    """
    kwargs["format"] = "OCI"
    _push(kwargs)
'''

def _defaults_impl(repository_ctx):
    given = {
        key: getattr(repository_ctx.attr, key)
        for key in ["registry", "repository", "tag"]
        if getattr(repository_ctx.attr, key)
    }
    repository_ctx.file("BUILD.bazel", "")
    repository_ctx.file("defaults.bzl", _TEMPLATE.format(
        defaults = repr(given),
        push = repr(str(Label("//container:push.bzl"))),
    ))

defaults = repository_rule(
    implementation = _defaults_impl,
    attrs = {
        "registry": attr.string(doc = "Registry of pushes that name none."),
        "repository": attr.string(doc = "Repository of pushes that name none."),
        "tag": attr.string(doc = "Tag of pushes that name none."),
    },
    doc = "Makes a repository with defaults.bzl, which has container_push, docker_push and oci_push.",
)
