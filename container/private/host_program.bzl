"""How repository rules find the programs: they run before there is any configuration
that a select() could ask, so they look at the machine themselves."""

# What a repository rule's environ has to name for find_imagetool.
IMAGETOOL_VARIABLE = "RULES_DOCKER_IMAGETOOL"

# Go's names of what machines call themselves.
_ARCHITECTURES = {
    "aarch64": "arm64",
    "amd64": "amd64",
    "arm64": "arm64",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "x64": "amd64",
    "x86_64": "amd64",
}

def _operating_system(name):
    name = name.lower()
    if name.startswith("mac os") or name == "darwin":
        return "darwin"
    if name.startswith("windows"):
        return "windows"
    return name

def _architecture(repository_ctx, operating_system):
    # Bazel 4 does not tell; later versions do.
    told = getattr(repository_ctx.os, "arch", "")
    if told:
        return told
    if operating_system == "windows":
        environ = repository_ctx.os.environ
        return environ.get("PROCESSOR_ARCHITEW6432") or environ.get("PROCESSOR_ARCHITECTURE", "")
    result = repository_ctx.execute(["uname", "-m"])
    return result.stdout.strip() if result.return_code == 0 else ""

def host_platform(repository_ctx):
    """The machine that runs Bazel.

    Args:
      repository_ctx: the repository rule's context.

    Returns:
      str: OS_ARCHITECTURE in Go's names; one that is not known stays as it is.
    """
    operating_system = _operating_system(repository_ctx.os.name)
    architecture = _architecture(repository_ctx, operating_system)
    return "%s_%s" % (operating_system, _ARCHITECTURES.get(architecture.lower(), architecture or "unknown"))

def find_imagetool(repository_ctx):
    """The multi-call program for the machine that runs Bazel.

    It is the release's own, or what the environment variable RULES_DOCKER_IMAGETOOL
    names: one built from source. Fails if there is neither.

    Args:
      repository_ctx: the repository rule's context.

    Returns:
      path, or str: an absolute path.
    """
    given = repository_ctx.os.environ.get(IMAGETOOL_VARIABLE)
    if given:
        if not repository_ctx.path(given).exists:
            fail("%s: there is no program %s, which %s names" % (repository_ctx.name, given, IMAGETOOL_VARIABLE))
        return given
    platform = host_platform(repository_ctx)

    # Not by the program's own label: a program that is not there is to be explained,
    # and what was pulled does not depend on the program that pulled it.
    folder = repository_ctx.path(Label("//prebuilt:BUILD.bazel")).dirname
    name = "imagetool.exe" if platform.startswith("windows_") else "imagetool"
    program = folder.get_child(platform).get_child(name)
    if not program.exists:
        fail(("%s: these container rules hold no program for %s. Build it with Go (go build ./container/go/cmd/imagetool " +
              "in their source; make prebuilt in a checkout; docs/source.md says more), and name it by the environment variable %s") %
             (repository_ctx.name, platform, IMAGETOOL_VARIABLE))
    return program
