"""tree: a tar, as rules for packages of distributions make them."""

def _tree_impl(ctx):
    tar = ctx.actions.declare_file(ctx.label.name + ".tar")
    args = ctx.actions.args()
    args.add(tar, format = "--out=%s")
    args.add(ctx.attr.package_dir, format = "--dir=%s")
    args.add(ctx.attr.mode, format = "--mode=%s")
    args.add(ctx.attr.owner, format = "--owner=%s")
    args.add_all(ctx.files.deps, format_each = "--tar=%s")
    args.add_all(ctx.attr.dirs, format_each = "--folder=%s")
    args.add_all(ctx.files.srcs, format_each = "--file=%s")
    for flag, values in [("hardlink", ctx.attr.hardlinks), ("symlink", ctx.attr.symlinks), ("xattr", ctx.attr.xattrs)]:
        for name, value in values.items():
            args.add("--%s=%s=%s" % (flag, name, value))
    ctx.actions.run(
        arguments = [args],
        executable = ctx.executable._archive,
        inputs = ctx.files.srcs + ctx.files.deps,
        mnemonic = "Tree",
        outputs = [tar],
    )
    return [DefaultInfo(files = depset([tar]))]

tree = rule(
    implementation = _tree_impl,
    attrs = {
        "deps": attr.label_list(
            allow_files = [".tar"],
            doc = "Tars whose members come first.",
        ),
        "dirs": attr.string_list(doc = "Folders to make."),
        "hardlinks": attr.string_dict(doc = "From the path of a link to that of the file."),
        "mode": attr.string(default = "0644"),
        "owner": attr.string(default = "0:0"),
        "package_dir": attr.string(default = ""),
        "srcs": attr.label_list(allow_files = True),
        "symlinks": attr.string_dict(doc = "From the path of a link to what it says."),
        "xattrs": attr.string_dict(doc = "From PATH:NAME to a text, or to 0x and hexadecimal digits."),
        "_archive": attr.label(
            allow_single_file = True,
            cfg = "exec",
            default = "//build:archive",
            executable = True,
        ),
    },
    doc = "Makes a tar of files, and of other tars.",
)
