"""The attributes by which a user could replace rules_docker's programs.

`build_layer` is honoured: what it has to do is well known, and it decides what a layer
is. The outcome of the others is fixed by the rules, which have no action to run them
in: to name another program is an error."""

load(":labels.bzl", "label_text")

def _tool(default, doc):
    return attr.label(
        allow_files = True,
        cfg = "exec",
        default = default,
        doc = doc,
        executable = True,
    )

_FIXED = " To name another program is an error: these rules do it themselves."

_ATTRS = {
    "build_layer": _tool(
        Label("//container:build_tar"),
        "Program that makes the tar of the layer, instead of the rule's own; it gets the flags of //container:build_tar.",
    ),
    "build_tar": _tool(
        Label("//container:build_tar"),
        "What makes the tar." + _FIXED,
    ),
    "create_image_config": _tool(
        Label("//container/go/cmd/create_image_config:create_image_config"),
        "What makes the configuration." + _FIXED,
    ),
    "extract_config": _tool(
        Label("//container/go/cmd/extract_config:extract_config"),
        "What reads the configuration in a docker-save archive." + _FIXED,
    ),
    "incremental_load_template": attr.label(
        allow_single_file = True,
        default = Label("//container:incremental_load_template"),
        doc = "The script that loads the image. To name another is an error: there is none.",
    ),
    "sha256": _tool(
        Label("//container/go/cmd/sha256:sha256"),
        "What computes digests." + _FIXED,
    ),
}

# In whose place the rules' own programs stand.
_DEFAULTS = {
    "build_layer": Label("//container:build_tar"),
    "build_tar": Label("//container:build_tar"),
    "create_image_config": Label("//container/go/cmd/create_image_config:create_image_config"),
    "extract_config": Label("//container/go/cmd/extract_config:extract_config"),
    "incremental_load_template": Label("//container:incremental_load_template"),
    "sha256": Label("//container/go/cmd/sha256:sha256"),
}

# rules_docker 0.16.0's default of sha256, which computes the same.
_OLD_SHA256 = "@bazel_tools//tools/build_defs/hash:sha256"

def tool_attrs(names):
    """The attributes of these names.

    Args:
      names: list of str.

    Returns:
      dict from name to attribute.
    """
    return {name: _ATTRS[name] for name in names}

def own_tool(ctx, name):
    """The program that a user put into the place of the rule's own.

    Args:
      ctx: the rule's context.
      name: str, an attribute.

    Returns:
      Target, or None if there is none.
    """
    target = getattr(ctx.attr, name, None)
    if type(target) != "Target" or target.label == _DEFAULTS[name]:
        return None
    if name == "sha256" and str(target.label).lstrip("@") == _OLD_SHA256.lstrip("@"):
        return None
    return target

def check_tools(ctx):
    """Fails if a user put a program into a place where it would not be run.

    Args:
      ctx: the rule's context.
    """
    for name in _ATTRS:
        if name == "build_layer":
            continue
        target = own_tool(ctx, name)
        if target:
            fail("%s: %s = %s: these rules do that themselves and would not use it; remove the attribute" %
                 (label_text(ctx.label), name, label_text(target.label)))
