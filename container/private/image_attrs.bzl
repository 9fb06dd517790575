"""The attributes and outputs of container_image."""

load("//container:providers.bzl", "LayerInfo", "STAMP_ATTR")
load(":layer_attrs.bzl", "LAYER_ATTRS", "TAR_TYPES")
load(":programs.bzl", "LAUNCHER_ATTRS")
load(":tool_attrs.bzl", "tool_attrs")

_IMAGE_ATTRS = {
    "architecture": attr.string(
        doc = "CPU architecture recorded in the configuration. If empty: the base's, or amd64 from scratch.",
    ),
    "base": attr.label(
        allow_files = TAR_TYPES,
        doc = "The image to build upon; none builds from scratch.",
    ),
    "cmd": attr.string_list(
        doc = "Command of the container. If empty the base's is kept.",
    ),
    "creation_time": attr.string(
        doc = "Creation time: seconds or milliseconds since the epoch, or RFC 3339. If empty: " +
              "the epoch, or when stamping the time of the build.",
    ),
    "docker_run_flags": attr.string(
        doc = "Options of `docker run` when the target is run; if empty the base's, or `-i --rm --network=host`.",
    ),
    "entrypoint": attr.string_list(
        doc = "Entrypoint of the container. If empty the base's is kept.",
    ),
    "experimental_tarball_format": attr.string(
        default = "legacy",
        doc = "Whether `NAME.tar` holds plain (`legacy`) or compressed layers.",
        values = ["legacy", "compressed"],
    ),
    "label_file_strings": attr.string_list(
        doc = "Set by the macro: the labels of `label_files` as written in `labels`.",
    ),
    "label_files": attr.label_list(
        allow_files = True,
        doc = "Set by the macro: the files whose content is the value of a label.",
    ),
    "labels": attr.string_dict(
        doc = "Labels of the configuration. A value `@LABEL` is the content of that file; `\\@` writes a literal `@`.",
    ),
    "launcher": attr.label(
        allow_single_file = True,
        doc = "A program to put at the image's root and in front of the entrypoint.",
    ),
    "launcher_args": attr.string_list(
        doc = "Arguments of the launcher.",
    ),
    "layers": attr.label_list(
        doc = "Layers to put on the base, below the image's own.",
        providers = [LayerInfo],
    ),
    "legacy_repository_naming": attr.bool(
        doc = "Write the slashes of the package as underscores in the image's name.",
    ),
    "legacy_run_behavior": attr.bool(
        default = True,
        doc = "Whether `bazel run` loads the image without starting a container.",
    ),
    "null_cmd": attr.bool(
        doc = "Set by the macro: remove the base's command.",
    ),
    "null_entrypoint": attr.bool(
        doc = "Set by the macro: remove the base's entrypoint.",
    ),
    "os_version": attr.string(
        doc = "Version of the operating system recorded in the configuration.",
    ),
    "ports": attr.string_list(
        doc = "Ports to expose: `80`, `53/udp`, `8000-8010`.",
    ),
    "repository": attr.string(
        default = "bazel",
        doc = "First part of the image's name when it is loaded.",
    ),
    "stamp": STAMP_ATTR,
    "tag_name": attr.string(
        doc = "Last part of the image's name when it is loaded; by default the target's name.",
    ),
    "user": attr.string(
        doc = "User that the container runs as. If empty the base's is kept.",
    ),
    "volumes": attr.string_list(
        doc = "Mount points to declare.",
    ),
    "workdir": attr.string(
        doc = "Working directory of the container. If empty the base's is kept.",
    ),
}

IMAGE_ATTRS = dict(dict(dict(LAYER_ATTRS, **LAUNCHER_ATTRS), **_IMAGE_ATTRS), **tool_attrs(["create_image_config"]))

IMAGE_OUTPUTS = {
    "build_script": "%{name}.executable",
    "config": "%{name}.json",
    "config_digest": "%{name}.json.sha256",
    "digest": "%{name}.digest",
    "layer": "%{name}-layer.tar",
    "out": "%{name}.tar",
}
