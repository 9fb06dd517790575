"""The providers of the container rules, all in this one place.

A `container_parts` dictionary describes an image. All lists run bottom-most layer
first and have equal length:

*   `config`, `config_digest`: File, the configuration and its hex sha256.
*   `manifest`, `manifest_digest`: File or None, of the very first base.
*   `zipped_layer`, `blobsum`: list of File, layer blobs and their hex sha256.
*   `unzipped_layer`, `diff_id`: list of File, layer tars and their hex sha256.
*   `layer_metadata`: list of File, JSON with digests, sizes and media type.
*   `docker_manifest`, `oci_manifest`: File, the image's manifests.
*   `digest`: File, `sha256:<hex>` of the Docker manifest.
*   `legacy`: File or None, a docker-save archive at the root of the chain. Its layers
    are in none of the lists.
*   `unpacked`: File or None, the directory that `legacy` was unpacked to
    (spec.ArchiveIndex). Its layers come below those of the lists.
*   `transitive_files`: depset of str, paths that lower layers already hold.
*   `base_registry`, `base_repository`: str, where the base was pulled from, or "".
*   `base_layers`: int, how many of the layers, from the bottom, came from there.
"""

ImageInfo = provider(
    doc = "An image built by container_image or a rule made from it.",
    fields = {
        "container_parts": "dict, see above",
        "docker_run_flags": "str, options of docker run, or \"\"",
        "legacy_run_behavior": "bool, whether running the target only loads the image",
        "stamp": "bool, whether the image was stamped",
    },
)

ImportInfo = provider(
    doc = "An image made elsewhere and imported by container_import.",
    fields = {"container_parts": "dict, see above"},
)

LayerInfo = provider(
    doc = "A layer.",
    fields = {
        "blob_sum": "File, hex sha256 of zipped_layer",
        "diff_id": "File, hex sha256 of unzipped_layer",
        "env": "dict of str, environment of images with this layer",
        "metadata": "File, JSON with digests, sizes and media type (absent from layers of other rules)",
        "unzipped_layer": "File, the layer's tar",
        "zipped_layer": "File, the layer's blob",
    },
)

PullInfo = provider(
    doc = "Where an imported image was pulled from.",
    fields = {
        "base_image_digest": "str, sha256:<hex>",
        "base_image_registry": "str",
        "base_image_repository": "str",
    },
)

PushInfo = provider(
    doc = "Where a container_push pushes to.",
    fields = {
        "digest": "File, sha256:<hex> of the manifest that is pushed",
        "registry": "str, make variables expanded",
        "repository": "str, make variables expanded",
        "stamp": "bool, whether {KEY} in the names is replaced when pushing",
        "stamp_inputs": "list of File, the workspace status files",
        "tag": "str, make variables expanded",
    },
)

BundleInfo = provider(
    doc = "A set of tagged images.",
    fields = {
        "container_images": "dict from tag to container_parts",
        "stamp": "bool, whether {KEY} in the tags is replaced",
    },
)

FlattenInfo = provider(
    doc = "Marks a flattened image.",
    fields = {},
)

FilterLayerInfo = provider(
    doc = "The dependencies that a filter layer selects.",
    fields = {
        "filtered_depset": "depset of struct",
        "runfiles": "runfiles of what was selected",
    },
)

FilterAspectInfo = provider(
    doc = "The dependencies that a filter layer can select from.",
    fields = {"depset": "depset of struct"},
)

StampSettingInfo = provider(
    doc = "The value of a stamp attribute.",
    fields = {"value": "bool, whether the target is stamped"},
)

# The stamp attribute of every rule that has one. Images and pushes are not stamped
# unless asked, whatever --stamp says, so that they stay reproducible.
STAMP_ATTR = attr.label(
    default = Label("//stamp:never"),
    doc = "Whether `{KEY}` is replaced by the value of the workspace status: one of " +
          "`//stamp:always`, `//stamp:never`, `//stamp:use_stamp_flag`; the macros also take a bool.",
    providers = [StampSettingInfo],
)
