"""group_entry, group_file: the groups of an image."""

load("//container/private:accounts.bzl", "check_field", "distinct")
load("//container/private:labels.bzl", "label_text")

GroupFileContentProviderInfo = provider(
    doc = "A line of a group file (group(5)).",
    fields = {
        "gid": "int",
        "groupname": "str",
        "users": "list of str, names of the members",
    },
)

def _group_entry_impl(ctx):
    check_field(ctx, "groupname", ctx.attr.groupname, required = True)
    for user in ctx.attr.users:
        check_field(ctx, "users", user, required = True)
        if "," in user:
            fail("%s: users: %r has a comma in it, which separates users" % (label_text(ctx.label), user))
    if ctx.attr.gid < 0:
        fail("%s: gid is negative" % label_text(ctx.label))
    return [GroupFileContentProviderInfo(
        gid = ctx.attr.gid,
        groupname = ctx.attr.groupname,
        users = ctx.attr.users,
    )]

group_entry = rule(
    implementation = _group_entry_impl,
    attrs = {
        "gid": attr.int(default = 1000, doc = "Number of the group."),
        "groupname": attr.string(doc = "Name of the group.", mandatory = True),
        "users": attr.string_list(doc = "Names of the members."),
    },
    doc = "A group. Provides GroupFileContentProviderInfo.",
)

def _group_file_impl(ctx):
    groups = [target[GroupFileContentProviderInfo] for target in ctx.attr.entries]
    lines = distinct(ctx, "group", [
        (group.groupname, "%s:x:%d:%s" % (group.groupname, group.gid, ",".join(group.users)))
        for group in groups
    ])
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(output, "".join([line + "\n" for line in lines]))
    return [DefaultInfo(files = depset([output]))]

group_file = rule(
    implementation = _group_file_impl,
    attrs = {
        "entries": attr.label_list(
            allow_empty = False,
            doc = "The groups: group_entry targets.",
            providers = [GroupFileContentProviderInfo],
        ),
    },
    doc = "Makes a group file, called as the target, with a line for each entry in their order.",
)
