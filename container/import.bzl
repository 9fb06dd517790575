"""container_import: an image whose configuration and layers are files."""

load("//container/private:import_impl.bzl", "import_impl")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS")
load("//container/private:tool_attrs.bzl", "tool_attrs")

_ATTRS = {
    "base_image_digest": attr.string(doc = "Digest of the image where it was pulled from."),
    "base_image_registry": attr.string(doc = "Registry that the image was pulled from."),
    "base_image_repository": attr.string(doc = "Repository that the image was pulled from."),
    "config": attr.label(
        allow_single_file = [".json"],
        doc = "The image's configuration. It is kept byte for byte.",
    ),
    "layers": attr.label_list(
        allow_files = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar.bz2"],
        doc = "The image's layers, bottom-most first. A gzip layer is kept byte for byte, and so is a plain or zstd " +
              "one if there is a manifest; any other is made into a gzip layer.",
        mandatory = True,
    ),
    "manifest": attr.label(
        allow_single_file = [".json"],
        doc = "The manifest that the image has in a registry, which knows where foreign layers are to be had.",
    ),
    "repository": attr.string(
        default = "bazel",
        doc = "First part of the image's name when it is loaded.",
    ),
}

container_import = rule(
    implementation = import_impl,
    attrs = dict(dict(dict(_ATTRS, **BUILDER_ATTRS), **LAUNCHER_ATTRS), **tool_attrs(["extract_config", "incremental_load_template", "sha256"])),
    doc = "Imports an image. Provides ImportInfo and, if it is known where the image comes from, PullInfo.",
    executable = True,
    outputs = {"out": "%{name}.tar"},
)
