"""The attributes that say what a layer holds: container_layer's, and the part of
container_image's that describes its own layer."""

load(":programs.bzl", "BUILDER_ATTRS")
load(":tool_attrs.bzl", "tool_attrs")

# Archives that are read whatever they are compressed by.
TAR_TYPES = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".tzst"]

_LAYER_ATTRS = {
    "compression": attr.string(
        default = "gzip",
        doc = "How the layer's blob is compressed: `gzip`, `none`, or `zstd`, which only images that are pushed " +
              "with `format = \"OCI\"` can have.",
        values = ["", "gzip", "zstd", "none"],
    ),
    "compression_options": attr.string_list(
        doc = "At most one of `--fast`, `--best` and `-1` to `-9`.",
    ),
    "data_path": attr.string(
        doc = "Prefix to remove from the paths of `files`, from the package or, with a leading " +
              "slash, from the workspace's root. If empty, only their base names are kept.",
    ),
    "debs": attr.label_list(
        allow_files = [".deb", ".udeb"],
        doc = "Debian packages to extract into the layer.",
    ),
    "directory": attr.string(
        default = "/",
        doc = "Directory in the image for `files`, `tars` and `debs`.",
    ),
    "empty_dirs": attr.string_list(
        doc = "Directories to create, as paths from the image's root.",
    ),
    "empty_files": attr.string_list(
        doc = "Empty files to create, as paths from the image's root.",
    ),
    "enable_mtime_preservation": attr.bool(
        doc = "Keep the modification times of the members of `tars` and `debs`.",
    ),
    "env": attr.string_dict(
        doc = "Environment variables. Make variables are expanded; `$$X` refers to the base's X.",
    ),
    "files": attr.label_list(
        allow_files = True,
        doc = "Files and directories to put into the layer.",
    ),
    "mode": attr.string(
        default = "0o555",
        doc = "Octal mode of `files`, `empty_files` and `empty_dirs`. If empty: 0755 for " +
              "directories and executables, 0644 for the rest.",
    ),
    "mtime": attr.int(
        default = -1,
        doc = "Modification time of everything in the layer, in seconds since the epoch; " +
              "-1 is the epoch itself.",
    ),
    "operating_system": attr.string(
        default = "linux",
        doc = "Operating system of the image; `windows` puts everything below `Files`.",
    ),
    "portable_mtime": attr.bool(
        doc = "Use 2000-01-01T00:00:00Z as the modification time of everything in the layer.",
    ),
    "symlinks": attr.string_dict(
        doc = "Symbolic links to create: from path in the image to target.",
    ),
    "tars": attr.label_list(
        allow_files = TAR_TYPES,
        doc = "Archives to extract into the layer.",
    ),
}

_TOOLS = ["build_layer", "extract_config", "incremental_load_template", "sha256"]

LAYER_ATTRS = dict(dict(_LAYER_ATTRS, **BUILDER_ATTRS), **tool_attrs(_TOOLS))
LAYER_OUTPUTS = {"layer": "%{name}-layer.tar"}
