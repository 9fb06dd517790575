"""container_load: an image from a docker-save archive, as the repository of the same name."""

load("//container/private:host_program.bzl", "IMAGETOOL_VARIABLE", "find_imagetool")
load("//container/private:image_repository.bzl", "declare_image_repository")

# Seconds after which Bazel ends the program, which reads a local file.
_TIMEOUT = 60 * 60

def _load_impl(repository_ctx):
    repository_ctx.file("image/BUILD", "", executable = False)
    directory = repository_ctx.path("image")
    file = repository_ctx.path(repository_ctx.attr.file)
    command = [find_imagetool(repository_ctx), "loader", "-directory", directory, "-tarball", file]
    repository_ctx.report_progress("Reading %s" % file.basename)
    result = repository_ctx.execute(command, timeout = _TIMEOUT)
    if result.return_code:
        fail("Load command failed: %s (%s)" % (result.stderr.strip(), " ".join([str(c) for c in command])))
    declare_image_repository(repository_ctx, directory)

LOAD_ATTRS = {
    "file": attr.label(
        allow_single_file = True,
        doc = "The archive, with one image. It may be compressed with gzip, xz, bzip2 or zstd.",
        mandatory = True,
    ),
}

container_load = repository_rule(
    implementation = _load_impl,
    attrs = LOAD_ATTRS,
    doc = "Takes an archive that `docker save` made apart. Makes @NAME//image, a container_import.",
    environ = [IMAGETOOL_VARIABLE],
)
