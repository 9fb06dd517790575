"""Declares the actions that make an image out of its layers."""

load(":labels.bzl", "label_text")
load(":programs.bzl", "run_builder")

def declare_image(ctx, outputs, spec, layers, inputs):
    """Declares the one action that makes an image's configuration and manifests.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      outputs: struct of name: str, and config, config_digest, digest: File.
      spec: dict, a spec.Image without version, target and layers.
      layers: list of struct of metadata: File, and env: dict; bottom-most first.
      inputs: list of File that the spec refers to.

    Returns:
      struct of docker_manifest and oci_manifest: File.
    """
    document = dict(spec)
    document.update(
        layers = [
            {"env": key_values(layer.env), "metadata": layer.metadata.path}
            for layer in layers
        ],
        target = label_text(ctx.label),
        version = 1,
    )
    spec_file = ctx.actions.declare_file(outputs.name + ".spec.json")
    ctx.actions.write(spec_file, json.encode(document))
    manifest = ctx.actions.declare_file(outputs.name + ".manifest.json")
    oci_manifest = ctx.actions.declare_file(outputs.name + ".oci.manifest.json")
    run_builder(
        ctx,
        "image",
        {
            "config": outputs.config,
            "config-digest": outputs.config_digest,
            "digest": outputs.digest,
            "manifest": manifest,
            "oci-manifest": oci_manifest,
            "spec": spec_file,
        },
        inputs = [spec_file] + [layer.metadata for layer in layers] + inputs,
        outputs = [outputs.config, outputs.config_digest, outputs.digest, manifest, oci_manifest],
        mnemonic = "ContainerImage",
        message = "Describing image %s" % label_text(ctx.label),
    )
    return struct(docker_manifest = manifest, oci_manifest = oci_manifest)

def key_values(dictionary):
    """A dictionary as spec.KeyValue entries, in its own order.

    Args:
      dictionary: dict of str.

    Returns:
      list of dict.
    """
    return [{"key": k, "value": v} for k, v in dictionary.items()]

def image_spec(**fields):
    """A spec.Image whose absent fields say "as the base".

    Args:
      **fields: what differs from that.

    Returns:
      dict.
    """
    spec = dict(
        architecture = "",
        base_archive = "",
        base_config = "",
        base_manifest = "",
        cmd = None,
        creation_time = "",
        entrypoint = None,
        env = [],
        labels = [],
        launcher_prefix = [],
        new_layers = 0,
        os = "",
        os_version = "",
        ports = [],
        stamp_files = [],
        user = "",
        verbatim = False,
        volumes = [],
        workdir = "",
    )
    spec.update(fields)
    return spec

def tarball_image(ctx, tag, parts, path):
    """A spec.TarballImage.

    Args:
      ctx: the rule's context.
      tag: str, REPOSITORY:NAME.
      parts: dict, container_parts.
      path: function from ctx and File to str.

    Returns:
      dict.
    """
    return {
        "archive": path(ctx, parts["unpacked"]) if parts["unpacked"] else "",
        "config": path(ctx, parts["config"]),
        "layers": [path(ctx, f) for f in parts["zipped_layer"]],
        "metadata": [path(ctx, f) for f in parts["layer_metadata"]],
        "tag": tag,
    }

def tarball_files(parts):
    """The files that tarball_image refers to.

    Args:
      parts: dict, container_parts.

    Returns:
      list of File.
    """
    unpacked = [parts["unpacked"]] if parts["unpacked"] else []
    return [parts["config"]] + unpacked + parts["zipped_layer"] + parts["layer_metadata"]

def _exec_path(_ctx, file):
    return file.path

def tarball_spec(ctx, spec_file, format, tagged, stamp_files = []):
    """Writes a spec.Tarball.

    Args:
      ctx: the rule's context.
      spec_file: File to write.
      format: str, "legacy" or "compressed".
      tagged: list of struct of tag: str, and parts: dict.
      stamp_files: list of File that replace {KEY} in the tags.

    Returns:
      list of File: what an action needs that reads it.
    """
    ctx.actions.write(spec_file, json.encode({
        "format": format,
        "images": [tarball_image(ctx, t.tag, t.parts, _exec_path) for t in tagged],
        "stamp_files": [f.path for f in stamp_files],
        "target": label_text(ctx.label),
        "version": 1,
    }))
    inputs = [spec_file] + stamp_files
    for t in tagged:
        inputs = inputs + tarball_files(t.parts)
    return inputs

def declare_tarball(ctx, output, format, tagged, stamp_files = []):
    """Declares the action that makes a docker-save archive.

    Args:
      ctx: the rule's context, with BUILDER_ATTRS.
      output: File.
      format: str, "legacy" or "compressed".
      tagged: list of struct of tag: str, and parts: dict.
      stamp_files: list of File that replace {KEY} in the tags.
    """
    spec_file = ctx.actions.declare_file(output.basename + ".spec.json", sibling = output)
    inputs = tarball_spec(ctx, spec_file, format, tagged, stamp_files)
    run_builder(
        ctx,
        "tarball",
        {"out": output, "spec": spec_file},
        inputs = depset(inputs),
        outputs = [output],
        mnemonic = "ContainerTarball",
        message = "Writing %s" % output.short_path,
    )
