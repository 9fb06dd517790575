"""repositories(): the first call of a WORKSPACE that uses these rules."""

load("//toolchains/docker:toolchain.bzl", "toolchain_configure")

# What rules_docker's file had for its own downloads; there are none.
CONTAINERREGISTRY_RELEASE = ""
RULES_DOCKER_GO_BINARY_RELEASE = ""

# buildifier: disable=unnamed-macro
def repositories():
    """Makes @docker_config unless it exists, and registers the docker toolchains.

    Nothing is fetched: the programs are part of the release archive.
    """
    if "docker_config" not in native.existing_rules():
        toolchain_configure(name = "docker_config")
    native.register_toolchains(*[
        str(Label("//toolchains/docker:default_%s_toolchain" % os))
        for os in ["linux", "windows", "osx"]
    ])
