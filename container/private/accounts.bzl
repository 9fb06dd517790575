"""What passwd and group files have in common: lines of fields with colons between."""

load(":labels.bzl", "label_text")

def check_field(ctx, attribute, value, required = False):
    """Fails if a field would break its line.

    Args:
      ctx: the rule's context.
      attribute: str, for the message.
      value: str.
      required: bool, whether it must not be empty.
    """
    if required and not value:
        fail("%s: %s is empty" % (label_text(ctx.label), attribute))
    if ":" in value or "\n" in value:
        fail("%s: %s %r has a colon or a line break in it, which separate the fields of the file" %
             (label_text(ctx.label), attribute, value))

def distinct(ctx, kind, entries):
    """The lines of a file, each name once; fails if a name has two meanings.

    Args:
      ctx: the rule's context.
      kind: str, what is named, for the message.
      entries: list of (name: str, line: str).

    Returns:
      list of str, in the order of their first occurrence.
    """
    lines = {}
    for name, line in entries:
        if lines.get(name, line) != line:
            fail("%s: entries: the %s %s is defined twice, as %r and as %r" % (label_text(ctx.label), kind, name, lines[name], line))
        lines[name] = line
    return lines.values()
