"""What rules of others need to work with images, such as those of rules_k8s."""

load("//container/private:image_build.bzl", "declare_tarball")
load("//container/private:load.bzl", "declare_loader")
load("//container/private:parts.bzl", "parts_of", "unpack")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS")
load("//container/private:tool_attrs.bzl", "check_tools", "tool_attrs")

# The attributes that a rule needs to call these functions.
tools = dict(dict(BUILDER_ATTRS, **LAUNCHER_ATTRS), **tool_attrs(["extract_config", "incremental_load_template"]))

# buildifier: disable=unused-variable
def get_from_target(ctx, name, attr_target, file_target = None):
    """The image that a target provides.

    Args:
      ctx: the rule's context, with `tools`.
      name: str, prefix for files that have to be declared.
      attr_target: Target, an image or a docker-save archive; None is no image.
      file_target: not used: the target's file is known.

    Returns:
      dict: container_parts, see providers.bzl; empty without an image.
    """
    check_tools(ctx)
    if not attr_target:
        return {}
    return parts_of(ctx, name, attr_target) or {}

def get_from_archive_file(ctx, name, archive_file):
    """The image in a docker-save archive.

    Args:
      ctx: the rule's context, with `tools`.
      name: str, prefix for files that have to be declared.
      archive_file: File.

    Returns:
      dict: container_parts.
    """
    return unpack(ctx, name, archive_file)

def _tagged(images):
    return [struct(parts = parts, tag = tag) for tag, parts in images.items()]

def assemble(ctx, images, output, experimental_tarball_format, stamp = False):
    """Declares the action that makes a docker-save archive.

    Args:
      ctx: the rule's context, with `tools`.
      images: dict from name to container_parts.
      output: File.
      experimental_tarball_format: str, "legacy" or "compressed".
      stamp: bool, whether {KEY} in the names is replaced.
    """
    declare_tarball(
        ctx,
        output,
        experimental_tarball_format,
        _tagged(images),
        [ctx.info_file, ctx.version_file] if stamp else [],
    )

def incremental_load(ctx, images, output, stamp = False, run = False, run_flags = None):
    """Makes an executable that loads images into docker or podman.

    Args:
      ctx: the rule's context, with `tools`.
      images: dict from name to container_parts.
      output: File, the executable.
      stamp: bool, whether {KEY} in the names is replaced.
      run: bool, whether to start a container of the only image.
      run_flags: str, options of docker run.

    Returns:
      runfiles that the executable needs.
    """
    check_tools(ctx)
    return declare_loader(
        ctx,
        output,
        _tagged(images),
        run = run,
        run_flags = run_flags or "",
        stamp_files = [ctx.info_file, ctx.version_file] if stamp else [],
    )

def _file_path(_ctx, file):
    return file.path

# buildifier: disable=unused-variable
def generate_args_for_image(ctx, image, to_path = _file_path, **kwargs):
    """What rules_docker's programs take to find the parts of an image.

    Args:
      ctx: the rule's context.
      image: dict, container_parts.
      to_path: function from ctx and File to str: how the program is to find a file.
      **kwargs: accepted and not used.

    Returns:
      (list of str, list of File): the options `--config`, `--manifest`, `--layer` and
      `--tarball`, and the files that they name.
    """
    inputs = [image["config"]]
    args = ["--config=%s" % to_path(ctx, image["config"])]
    if image.get("manifest"):
        inputs.append(image["manifest"])
        args.append("--manifest=%s" % to_path(ctx, image["manifest"]))
    for i, zipped in enumerate(image.get("zipped_layer", [])):
        parts = [zipped, image["unzipped_layer"][i], image["blobsum"][i], image["diff_id"][i]]
        inputs.extend(parts)
        args.append("--layer=%s" % ",".join([to_path(ctx, part) for part in parts]))
    if image.get("legacy"):
        inputs.append(image["legacy"])
        args.append("--tarball=%s" % to_path(ctx, image["legacy"]))
    return args, inputs
