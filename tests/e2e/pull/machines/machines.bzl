"""Repository rules tell machines apart by what Bazel and the machine say of themselves."""

load("@io_bazel_rules_docker//container/private:host_program.bzl", "host_platform")

def _told(name, arch):
    """What Bazel 5 and later know."""
    return struct(os = struct(arch = arch, environ = {}, name = name))

def _windows(environ):
    """What Bazel 4 knows on Windows."""
    return struct(os = struct(environ = environ, name = "windows server 2019"))

def check_machines():
    """Fails when a machine is taken for another."""
    for want, machine in [
        ("linux_amd64", _told("linux", "amd64")),
        ("linux_arm64", _told("linux", "aarch64")),
        ("linux_ppc64le", _told("linux", "ppc64le")),
        ("linux_s390x", _told("linux", "s390x")),
        ("linux_riscv64", _told("linux", "riscv64")),
        ("freebsd_amd64", _told("freebsd", "amd64")),
        ("darwin_amd64", _told("mac os x", "x86_64")),
        ("darwin_arm64", _told("mac os x", "aarch64")),
        ("windows_amd64", _told("windows 10", "amd64")),
        ("windows_arm64", _told("windows 11", "aarch64")),
        ("windows_amd64", _windows({"PROCESSOR_ARCHITECTURE": "AMD64"})),
        # A 32-bit Bazel on a 64-bit Windows.
        ("windows_amd64", _windows({"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "AMD64"})),
        ("windows_arm64", _windows({"PROCESSOR_ARCHITECTURE": "ARM64"})),
        ("windows_unknown", _windows({})),
    ]:
        got = host_platform(machine)
        if got != want:
            fail("%s is taken for %s, is %s" % (machine, got, want))
