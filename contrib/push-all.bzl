"""container_push for a whole container_bundle: one run pushes all of its images."""

load("//container:providers.bzl", "BundleInfo")
load("//container/private:labels.bzl", "label_text")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "LAUNCHER_ATTRS", "declare_launcher", "docker_settings", "launcher_extension", "runfiles_path")
load("//container/private:push_impl.bzl", "push_image")

def _push_all_impl(ctx):
    bundle = ctx.attr.bundle[BundleInfo]
    name = ctx.label.name
    stamp_files = [ctx.info_file, ctx.version_file] if bundle.stamp else []
    pushes = []
    digests = []
    files = list(stamp_files)
    for i, (destination, parts) in enumerate(bundle.container_images.items()):
        digest = ctx.actions.declare_file("%s.%d.digest" % (name, i))
        image = push_image(ctx, "%s.%d" % (name, i), ctx.attr.format, parts, digest)
        digests.append(digest)
        files.extend(image.files)
        pushes.append(dict(
            image.fields,
            build_file = getattr(ctx, "build_file_path", ""),  # gone in Bazel 9
            client_config_dir = docker_settings(ctx).client_config,
            destination = destination,
            insecure_repository = ctx.attr.insecure_repository,
            registry = "",
            repository = "",
            repository_file = "",
            rule = "docker_push" if ctx.attr.format == "Docker" else "oci_push",
            skip_unchanged_digest = ctx.attr.skip_unchanged_digest,
            stamp_files = [runfiles_path(ctx, f) for f in stamp_files],
            tag = "",
            tag_file = "",
            target = label_text(ctx.label),
        ))
    executable = ctx.actions.declare_file(name + launcher_extension(ctx))
    files.extend(declare_launcher(
        ctx,
        executable,
        {"images": pushes, "sequential": ctx.attr.sequential, "version": 1},
        "push",
    ))
    return [
        DefaultInfo(
            executable = executable,
            files = depset([executable] + digests),
            runfiles = ctx.runfiles(files = files),
        ),
        OutputGroupInfo(digest = depset(digests), exe = depset([executable])),
    ]

_ATTRS = {
    "bundle": attr.label(
        doc = "The images: a container_bundle. Each is pushed to what it is called there.",
        mandatory = True,
        providers = [BundleInfo],
    ),
    "format": attr.string(
        doc = "Media types of the manifests that are pushed.",
        mandatory = True,
        values = ["OCI", "Docker"],
    ),
    "insecure_repository": attr.bool(
        doc = "Whether the registries may speak plain HTTP or have a certificate that nobody signed. " +
              "Verified HTTPS is still used if a registry offers it.",
    ),
    "sequential": attr.bool(
        doc = "Push one image after the other, in the bundle's order, and stop at the first that fails.",
    ),
    "skip_unchanged_digest": attr.bool(
        doc = "Look first whether the repository has the image's digest, and then send none of its parts.",
    ),
}

container_push = rule(
    implementation = _push_all_impl,
    attrs = dict(dict(_ATTRS, **BUILDER_ATTRS), **LAUNCHER_ATTRS),
    doc = "Pushes all images of a bundle when it is run. `NAME.0.digest`, `NAME.1.digest` and so on hold the " +
          "digests of what is pushed, in the bundle's order.",
    executable = True,
)

def docker_push(*args, **kwargs):
    """container_push with Docker's media types.

    Args:
      *args: none; attributes are named.
      **kwargs: the attributes of container_push but format.
    """
    if "format" in kwargs:
        fail("docker_push: the format is Docker; container_push takes the attribute format")
    container_push(format = "Docker", *args, **kwargs)

def oci_push(*args, **kwargs):
    """container_push with the OCI's media types.

    Args:
      *args: none; attributes are named.
      **kwargs: the attributes of container_push but format.
    """
    if "format" in kwargs:
        fail("oci_push: the format is OCI; container_push takes the attribute format")
    container_push(format = "OCI", *args, **kwargs)
