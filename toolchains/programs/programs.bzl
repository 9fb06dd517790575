"""How a rule gets at the Go programs, in the configuration they have to run in.

`:imagetool` is the multi-call program for the *target* platform. A build action
depends on it with `cfg = "exec"` and so gets the one for the execution platform;
what `bazel run` starts comes from `:host`, whatever `--platforms` says.

It is a select() and not a toolchain because resolving any toolchain makes Bazel 4
to 6 fetch rules_cc and rules_java, which a push does not need.
"""

load("//container/private:labels.bzl", "label_text")

def _to_host_impl(settings, _attr):
    # Bazel 4 has no value there unless the flag is given, and then means this one.
    host = settings["//command_line_option:host_platform"] or "@local_config_platform//:host"
    return {"//command_line_option:platforms": [str(host)]}

_to_host = transition(
    implementation = _to_host_impl,
    inputs = ["//command_line_option:host_platform"],
    outputs = ["//command_line_option:platforms"],
)

def _host_programs_impl(ctx):
    return [DefaultInfo(files = depset([ctx.file.imagetool]))]

host_programs = rule(
    implementation = _host_programs_impl,
    attrs = {
        "imagetool": attr.label(
            allow_single_file = True,
            doc = "The multi-call program.",
            mandatory = True,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    cfg = _to_host,
    doc = "Its only file is the multi-call program for the machine that runs Bazel.",
)

def _no_program_impl(ctx):
    # A message of select() could not name the platform.
    fail(("these container rules have no program for the platform %s, which Bazel or its actions run on " +
          "(see --host_platform and --extra_execution_platforms); there is one for %s. Build it from source, " +
          "as docs/source.md says, and name it by --@io_bazel_rules_docker//toolchains/programs:imagetool=LABEL") %
         (label_text(ctx.fragments.platform.platform), ", ".join(ctx.attr.known)))

no_program = rule(
    implementation = _no_program_impl,
    attrs = {
        "known": attr.string_list(
            doc = "Platforms that there is a program for, in words.",
            mandatory = True,
        ),
    },
    doc = "Stands for the multi-call program on a platform that a release has none for: an error that says so.",
    fragments = ["platform"],
)
