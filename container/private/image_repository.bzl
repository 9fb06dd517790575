"""The package @NAME//image that container_pull and container_load make out of the
directory that a program has filled."""

_EXTENSIONS = [".tar.gz", ".tar", ".tar.zst"]

def _number(n):
    text = str(n)
    return "0" * (3 - len(text)) + text

def _layers(directory):
    """Names of the layers, bottom-most first."""
    layers = []
    for n in range(100000):
        found = [
            _number(n) + extension
            for extension in _EXTENSIONS
            if directory.get_child(_number(n) + extension).exists
        ]
        if not found:
            break
        layers.append(found[0])
    return layers

def _import_bzl():
    """The label of container_import, whatever this repository is called there."""
    label = str(Label("//container:import.bzl"))
    return "@" + label if label.startswith("//") else label

def _lines(values):
    return ["    %s = %s," % (k, _literal(v)) for k, v in values.items()]

def _literal(value):
    if type(value) != type([]):
        return repr(value)
    if not value:
        return "[]"
    return "[\n%s    ]" % "".join(["        %r,\n" % v for v in value])

def declare_image_repository(repository_ctx, directory, **attributes):
    """Writes the BUILD files of an image's repository.

    Args:
      repository_ctx: the repository rule's context.
      directory: path of the filled directory, @NAME//image.
      **attributes: further attributes of the container_import.

    Returns:
      str: the digest of the image.
    """
    digest = repository_ctx.read(directory.get_child("digest"))
    repository_ctx.file("BUILD", "", executable = False)
    repository_ctx.file("image/image.digest", digest, executable = False)
    repository_ctx.file("image/BUILD", "\n".join([
        "load(%r, \"container_import\")" % _import_bzl(),
        "",
        "package(default_visibility = [\"//visibility:public\"])",
        "",
        "exports_files([",
        "    \"config.json\",",
        "    \"digest\",",
        "    \"image.digest\",",
        "    \"manifest.json\",",
        "])",
        "",
        "container_import(",
    ] + _lines(dict(
        name = "image",
        config = "config.json",
        layers = _layers(directory),
        manifest = "manifest.json",
        **attributes
    )) + [
        ")",
        "",
    ]), executable = False)
    return digest
