"""container_push: pushes an image when it is run."""

load("//container:providers.bzl", "STAMP_ATTR")
load("//container/private:macros.bzl", "stamp_label")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS")
load("//container/private:push_impl.bzl", "push_impl")
load("//container/private:tool_attrs.bzl", "tool_attrs")

_ATTRS = {
    "extension": attr.string(
        doc = "Extension of the executable; by default what the machine that runs Bazel needs.",
    ),
    "format": attr.string(
        doc = "Media types of the manifest that is pushed.",
        mandatory = True,
        values = ["OCI", "Docker"],
    ),
    "image": attr.label(
        allow_single_file = [".tar"],
        doc = "The image: container_image, container_import or, more slowly, a docker-save archive.",
        mandatory = True,
    ),
    "insecure_repository": attr.bool(
        doc = "Whether the registry may speak plain HTTP or have a certificate that nobody signed. " +
              "Verified HTTPS is still used if the registry offers it.",
    ),
    "registry": attr.string(
        doc = "Host and port of the registry, optionally with the beginning of the repository's path. " +
              "Make variables and, when stamping, `{KEY}` are replaced, as in `repository` and `tag`.",
        mandatory = True,
    ),
    "repository": attr.string(
        doc = "Repository to push to.",
        mandatory = True,
    ),
    "repository_file": attr.label(
        allow_single_file = True,
        doc = "File whose content replaces `repository`.",
    ),
    "skip_unchanged_digest": attr.bool(
        doc = "Look first whether the repository has the image's digest, and then send none of its parts.",
    ),
    "stamp": STAMP_ATTR,
    "tag": attr.string(
        default = "latest",
        doc = "Tag to push as.",
    ),
    "tag_file": attr.label(
        allow_single_file = True,
        doc = "File whose content replaces `tag`.",
    ),
    "tag_tpl": attr.label(
        allow_single_file = True,
        doc = "Not used: no script is made. Rules written for rules_docker may set it.",
    ),
    "windows_paths": attr.bool(
        doc = "Not used: no script is made. Rules written for rules_docker may set it.",
    ),
}

container_push_ = rule(
    implementation = push_impl,
    attrs = dict(dict(dict(_ATTRS, **BUILDER_ATTRS), **LAUNCHER_ATTRS), **tool_attrs(["extract_config", "incremental_load_template"])),
    doc = "Pushes an image when it is run. Provides PushInfo; `NAME.digest` holds the digest of what is pushed.",
    executable = True,
    outputs = {"digest": "%{name}.digest"},
)

def container_push(name, format, image, registry, repository, **kwargs):
    """Pushes an image when it is run.

    Args:
      name: str, name of the target.
      format: str, "Docker" or "OCI".
      image: label, the image to push.
      registry: str, host and port of the registry.
      repository: str, repository to push to.
      **kwargs: the other attributes of container_push_; `stamp` also takes a bool.
    """
    if "stamp" in kwargs:
        kwargs["stamp"] = stamp_label(kwargs["stamp"])
    container_push_(
        name = name,
        format = format,
        image = image,
        registry = registry,
        repository = repository,
        **kwargs
    )
