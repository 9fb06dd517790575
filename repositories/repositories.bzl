"""repositories(): the first call of a WORKSPACE that uses these rules."""

load("//repositories:archives.bzl", "define_archives")
load("//toolchains/docker:toolchain.bzl", "toolchain_configure")

# Of containerregistry, which `repositories()` defines.
CONTAINERREGISTRY_RELEASE = "v0.0.38"

# Of the programs that rules_docker downloaded; here they are part of the release archive.
RULES_DOCKER_GO_BINARY_RELEASE = "aad94363e63d31d574cf701df484b3e8b868a96a"

# buildifier: disable=unnamed-macro
def repositories():
    """Makes @docker_config unless it exists, and registers the docker toolchains.

    Nothing is fetched: the programs are part of the release archive. Repositories that
    rules_docker defined besides, such as @bazel_skylib, are defined unless they exist,
    and fetched only if something else uses them.
    """
    if "docker_config" not in native.existing_rules():
        toolchain_configure(name = "docker_config")
    define_archives()
    native.register_toolchains(*[
        str(Label("//toolchains/docker:default_%s_toolchain" % os))
        for os in ["linux", "windows", "osx"]
    ])
