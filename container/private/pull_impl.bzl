"""Implementation of container_pull."""

load(":host_program.bzl", "IMAGETOOL_VARIABLE", "find_imagetool", "host_platform")
load(":image_repository.bzl", "declare_image_repository")

# Variables that a pull depends on. That of the timeout is none of them, as it does
# not change what is pulled, but upstream has it here.
PULL_ENVIRON = [
    "DOCKER_CONFIG",
    "DOCKER_REPO_CACHE",
    "HOME",
    "PULLER_TIMEOUT",
    IMAGETOOL_VARIABLE,
]

# Seconds after which Bazel ends the puller. The puller itself gives up on a registry
# that is silent; a large image over a slow link is no reason to.
_FOREVER = 7 * 24 * 60 * 60

def _puller(repository_ctx):
    """The beginning of the command line."""
    given = repository_ctx.attr.puller
    if not given:
        given = getattr(repository_ctx.attr, {
            "darwin_amd64": "puller_darwin",
            "darwin_arm64": "puller_darwin",
            "linux_amd64": "puller_linux_amd64",
            "linux_arm64": "puller_linux_arm64",
            "linux_s390x": "puller_linux_s390x",
        }.get(host_platform(repository_ctx), "puller"))
    if given:
        return [repository_ctx.path(given)]
    return [find_imagetool(repository_ctx), "puller"]

def _timeout(repository_ctx):
    text = repository_ctx.os.environ.get("PULLER_TIMEOUT", "")
    if not text:
        return repository_ctx.attr.timeout
    if not text.isdigit() or int(text) == 0:
        fail("'%s' is invalid value for PULLER_TIMEOUT. Must be an integer." % text)
    return int(text)

def _cache(repository_ctx):
    """The directory of DOCKER_REPO_CACHE, or ""."""
    directory = repository_ctx.os.environ.get("DOCKER_REPO_CACHE", "")
    if directory.startswith("~/"):
        home = repository_ctx.os.environ.get("HOME")
        if not home:
            fail("DOCKER_REPO_CACHE is %s, and HOME is not set" % directory)
        directory = home + directory[1:]
    return directory

def _config_dir(repository_ctx):
    """The directory of the docker configuration that the target names, or ""."""
    attr = repository_ctx.attr
    if attr.docker_client_config and attr.docker_client_config_dir:
        fail("%s: set one of docker_client_config and docker_client_config_dir" % attr.name)
    if not attr.docker_client_config:
        return attr.docker_client_config_dir
    file = repository_ctx.path(attr.docker_client_config)
    if file.basename != "config.json":
        fail("%s: docker_client_config: docker's configuration has to be called config.json, and is %s" %
             (attr.name, attr.docker_client_config))
    return file.dirname

def _environment(repository_ctx):
    """What the puller's environment has besides Bazel's: where helpers are."""
    helpers = repository_ctx.attr.cred_helpers
    if not helpers:
        return {}
    separator = ";" if repository_ctx.os.name.lower().startswith("windows") else ":"
    directories = []
    for helper in helpers:
        directory = str(repository_ctx.path(helper).dirname)
        if directory not in directories:
            directories.append(directory)
    path = repository_ctx.os.environ.get("PATH")
    return {"PATH": separator.join(directories + ([path] if path else []))}

def _said_name(repository_ctx):
    """The name as it is written: with Bzlmod, the end of the repository's own."""
    return repository_ctx.attr.name.replace("+", "~").split("~")[-1]

def _command(repository_ctx, directory):
    attr = repository_ctx.attr
    reference = attr.registry + "/" + attr.repository
    reference += "@" + attr.digest if attr.digest else ":" + attr.tag
    command = _puller(repository_ctx) + ["-directory", directory, "-name", reference]
    for flag, value in [
        ("-architecture", attr.architecture),
        ("-cache", _cache(repository_ctx)),
        ("-client-config-dir", _config_dir(repository_ctx)),
        ("-features", " ".join(attr.platform_features)),
        ("-os", attr.os),
        ("-os-features", " ".join(attr.os_features)),
        ("-os-version", attr.os_version),
        ("-timeout", _timeout(repository_ctx)),
        ("-variant", attr.cpu_variant),
    ]:
        if value:
            command += [flag, str(value)]
    if attr.insecure_repository:
        command.append("-insecure-repository")
    if command[1] == "puller":
        # A puller of somebody else's would know neither. The name is for messages; by the
        # directory, which is one for the whole workspace, no blob is downloaded twice.
        shared = directory.dirname.dirname.get_child(".rules_docker_blobs")
        command += ["-target", _said_name(repository_ctx), "-shared", str(shared)]
    return command

def pull_impl(repository_ctx):
    """Implements container_pull.

    Args:
      repository_ctx: the repository rule's context.

    Returns:
      dict of the attributes that pull the same image for ever, or None if those
      given do.
    """
    attr = repository_ctx.attr
    if "@" in attr.registry:
        # Before it is shown anywhere.
        fail(("container_pull(name = \"%s\"): registry is written without user and password, which everyone could " +
              "read there; log in with docker login, or set docker_client_config") % _said_name(repository_ctx))
    repository_ctx.file("image/BUILD", "", executable = False)
    directory = repository_ctx.path("image")
    command = _command(repository_ctx, directory)
    repository_ctx.report_progress("Pulling %s/%s" % (attr.registry, attr.repository))
    result = repository_ctx.execute(
        command,
        environment = _environment(repository_ctx),
        quiet = False,
        timeout = _FOREVER,
    )
    if result.return_code:
        fail("Pull command failed: %s (%s)" % (result.stderr.strip(), " ".join([str(c) for c in command])))

    tags = {"tags": attr.import_tags} if attr.import_tags else {}
    image_digest = repository_ctx.read(directory.get_child("digest"))
    declare_image_repository(
        repository_ctx,
        directory,
        base_image_digest = image_digest,
        base_image_registry = attr.registry,
        base_image_repository = attr.repository,
        **tags
    )
    if attr.digest:
        return None

    # Ours tells what the tag names, which may be an index.
    told = result.stdout.strip()
    digest = told if told.startswith("sha256:") else image_digest

    # buildifier: disable=print
    print("container_pull(name = \"%s\"): %s:%s may change; to pin it, add\n    digest = \"%s\"," %
          (_said_name(repository_ctx), attr.repository, attr.tag, digest))
    pinned = {name: getattr(attr, name) for name in PULL_ATTRS}
    pinned["name"] = attr.name
    pinned["digest"] = digest
    return pinned

PULL_ATTRS = {
    "architecture": attr.string(
        default = "amd64",
        doc = "CPU architecture of the image to take, if the tag or digest names an index of several.",
    ),
    "cpu_variant": attr.string(
        doc = "Variant of the CPU, such as `v7`, that the index must name.",
    ),
    "cred_helpers": attr.label_list(
        doc = "Docker credential helpers; their directories come first on the puller's PATH.",
    ),
    "digest": attr.string(
        doc = "`sha256:<hex>` of the image, or of an index. It wins over `tag`.",
    ),
    "docker_client_config": attr.label(
        doc = "A docker `config.json` to take credentials from. The macro also takes the path of its directory.",
    ),
    "docker_client_config_dir": attr.string(
        doc = "Set by the macro: directory of a docker `config.json`.",
    ),
    "import_tags": attr.string_list(
        doc = "Tags of the `container_import` that is made.",
    ),
    "insecure_repository": attr.bool(
        doc = "Whether the registry may speak plain HTTP or have a certificate that nobody signed. " +
              "Verified HTTPS is still used if the registry offers it.",
    ),
    "os": attr.string(
        default = "linux",
        doc = "Operating system of the image to take of an index.",
    ),
    "os_features": attr.string_list(
        doc = "Features of the operating system that the index must name.",
    ),
    "os_version": attr.string(
        doc = "Version of the operating system that the index must name.",
    ),
    "platform_features": attr.string_list(
        doc = "Features of the CPU that the index must name.",
    ),
    "puller": attr.label(
        doc = "A program to pull with, on every platform, instead of the release's own.",
    ),
    "puller_darwin": attr.label(
        doc = "A program to pull with on macOS.",
    ),
    "puller_linux_amd64": attr.label(
        doc = "A program to pull with on Linux on amd64.",
    ),
    "puller_linux_arm64": attr.label(
        doc = "A program to pull with on Linux on arm64.",
    ),
    "puller_linux_s390x": attr.label(
        doc = "A program to pull with on Linux on s390x.",
    ),
    "registry": attr.string(
        doc = "Host and port of the registry; `index.docker.io` is Docker Hub.",
        mandatory = True,
    ),
    "repository": attr.string(
        doc = "Repository to pull from.",
        mandatory = True,
    ),
    "tag": attr.string(
        default = "latest",
        doc = "Tag to pull, if no digest is given.",
    ),
    "timeout": attr.int(
        doc = "How many seconds the registry may send nothing; 0 means 600. PULLER_TIMEOUT wins over it.",
    ),
}
