"""passwd_entry, passwd_file, passwd_tar: the users of an image."""

load("//container/private:accounts.bzl", "check_field", "distinct")
load("//container/private:labels.bzl", "label_text")
load("//container/private:paths.bzl", "paths")
load("//container/private:programs.bzl", "BUILDER_ATTRS", "run_builder")
load("//container/private:tool_attrs.bzl", "check_tools", "tool_attrs")

PasswdFileContentProviderInfo = provider(
    doc = "A line of a passwd file (passwd(5)).",
    fields = {
        "create_home": "bool, whether passwd_tar makes the home directory",
        "gid": "int",
        "home": "str, path of the home directory, may be empty",
        "info": "str, the user's full name or a comment",
        "name": "str, name of the target",
        "shell": "str",
        "uid": "int",
        "username": "str",
    },
)

def _passwd_entry_impl(ctx):
    for field in ["username", "info", "home", "shell"]:
        check_field(ctx, field, getattr(ctx.attr, field), required = field == "username")
    for field in ["uid", "gid"]:
        if getattr(ctx.attr, field) < 0:
            fail("%s: %s is negative" % (label_text(ctx.label), field))
    return [PasswdFileContentProviderInfo(
        create_home = ctx.attr.create_home,
        gid = ctx.attr.gid,
        home = ctx.attr.home,
        info = ctx.attr.info,
        name = ctx.label.name,
        shell = ctx.attr.shell,
        uid = ctx.attr.uid,
        username = ctx.attr.username,
    )]

passwd_entry = rule(
    implementation = _passwd_entry_impl,
    attrs = {
        "create_home": attr.bool(
            default = True,
            doc = "Whether passwd_tar makes the home directory.",
        ),
        "gid": attr.int(default = 1000, doc = "Number of the user's group."),
        "home": attr.string(default = "/home", doc = "Home directory; may be empty."),
        "info": attr.string(default = "user", doc = "Full name or comment."),
        "shell": attr.string(default = "/bin/bash", doc = "Login shell."),
        "uid": attr.int(default = 1000, doc = "Number of the user."),
        "username": attr.string(doc = "Name of the user.", mandatory = True),
    },
    doc = "A user. Provides PasswdFileContentProviderInfo.",
)

def _line(user):
    return "%s:x:%d:%d:%s:%s:%s" % (user.username, user.uid, user.gid, user.info, user.home, user.shell)

def _write(ctx, output):
    """Writes the passwd file and returns its users."""
    users = [target[PasswdFileContentProviderInfo] for target in ctx.attr.entries]
    lines = distinct(ctx, "user", [(user.username, _line(user)) for user in users])
    ctx.actions.write(output, "".join([line + "\n" for line in lines]))
    return users

def _passwd_file_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    _write(ctx, output)
    return [DefaultInfo(files = depset([output]))]

_ENTRIES = attr.label_list(
    allow_empty = False,
    doc = "The users: passwd_entry targets.",
    providers = [PasswdFileContentProviderInfo],
)

passwd_file = rule(
    implementation = _passwd_file_impl,
    attrs = {"entries": _ENTRIES},
    doc = "Makes a passwd file, called as the target, with a line for each entry in their order.",
)

def _passwd_tar_impl(ctx):
    check_tools(ctx)
    name = ctx.label.name
    passwd = ctx.actions.declare_file(name + ".passwd")
    users = _write(ctx, passwd)
    homes = {}
    for user in users:
        path = paths.join(user.home, "")
        if user.create_home and path and path not in homes:
            homes[path] = {"gid": user.gid, "mode": "0700", "name": path, "uid": user.uid}
    spec_file = ctx.actions.declare_file(name + ".spec.json")
    ctx.actions.write(spec_file, json.encode({
        "compression": {"algorithm": "none", "level": 0},
        "files": [{"dst": paths.join(ctx.attr.passwd_file_pkg_dir, name), "src": passwd.path}],
        "mode": ctx.attr.passwd_file_mode,
        # A directory comes before those in it.
        "owned_dirs": [homes[path] for path in sorted(homes)],
        "target": label_text(ctx.label),
        "version": 1,
    }))
    metadata = ctx.actions.declare_file(name + ".metadata.json")
    tar = ctx.outputs.passwd_tar
    run_builder(
        ctx,
        "layer",
        {"metadata": metadata, "out": tar, "spec": spec_file},
        inputs = [spec_file, passwd],
        outputs = [tar, metadata],
        mnemonic = "PasswdTar",
        message = "Writing %s" % tar.short_path,
    )
    return [DefaultInfo(files = depset([tar]))]

_TAR_ATTRS = {
    "entries": _ENTRIES,
    "passwd_file_mode": attr.string(default = "0o644", doc = "Octal mode of the passwd file."),
    "passwd_file_pkg_dir": attr.string(
        doc = "Directory of the passwd file in the image; the file is called as the target.",
        mandatory = True,
    ),
}

passwd_tar = rule(
    implementation = _passwd_tar_impl,
    attrs = dict(dict(_TAR_ATTRS, **BUILDER_ATTRS), **tool_attrs(["build_tar"])),
    doc = "Makes a tar of a passwd file and of the home directories, each with mode 0700 and its user as the owner.",
    outputs = {"passwd_tar": "%{name}.tar"},
)
