"""What container_image puts into a spec.Image: names, labels, stamping."""

load(":labels.bzl", "label_text")

def image_name(repository, package, name, legacy):
    """The name under which an image is loaded.

    Args:
      repository: str, e.g. "bazel".
      package: str, the target's package.
      name: str, the last part.
      legacy: bool, whether slashes of the package become underscores.

    Returns:
      str: REPOSITORY/PACKAGE:NAME; image names are lower case before the colon.
    """
    package = package.lower()
    if legacy:
        package = package.replace("/", "_")
    return "%s:%s" % (repository + ("/" + package if package else ""), name)

def label_entries(ctx, labels, label_files, label_file_strings):
    """The labels of an image as spec.Label entries.

    Args:
      ctx: the rule's context.
      labels: dict of str; a value `@LABEL` names a file.
      label_files: list of Target, each with one file.
      label_file_strings: list of str, their labels as written in `labels`.

    Returns:
      (list of dict, list of File that they refer to).
    """
    files = {}
    for target, text in zip(label_files, label_file_strings):
        found = target.files.to_list()
        if len(found) != 1:
            fail("%s: labels: %s must be one file, and is %d" % (label_text(ctx.label), label_text(target.label), len(found)))
        files[text] = found[0]
    entries = []
    for key, value in labels.items():
        entry = {"file": "", "key": key, "value": value}
        if value.startswith("@") and value != "@":
            file = files.get(value[1:])
            if not file:
                fail("%s: labels: %r names no file; write \\@ for a literal @" % (label_text(ctx.label), value))
            entry = {"file": file.path, "key": key, "value": ""}
        elif value.startswith("\\@"):
            entry["value"] = value[1:]
        entries.append(entry)
    return entries, files.values()

def _keep_or(value, null):
    # Absent keeps the base's, an empty list removes it.
    if value:
        return value
    return [] if null else None

def config_fields(ctx, values, labels, stamp):
    """The fields of a spec.Image that stamping applies to.

    Args:
      ctx: the rule's context.
      values: struct of cmd, creation_time, entrypoint, env, layer_env, null_cmd,
        null_entrypoint, os_version, user and workdir.
      labels: list of dict, from label_entries.
      stamp: bool, whether `{KEY}` is replaced.

    Returns:
      struct of spec: dict, and stamp_files: list of File. An image that has nothing
      to replace depends on no status file, and so is not rebuilt when they change.
    """
    texts = [values.creation_time, values.os_version, values.user, values.workdir]
    texts = texts + values.cmd + values.entrypoint + values.env.values()
    for env in values.layer_env:
        texts = texts + env.values()
    texts = texts + [label["value"] for label in labels]
    needed = stamp and (not values.creation_time or any(["{" in text for text in texts]))
    stamp_files = [ctx.info_file, ctx.version_file] if needed else []
    return struct(
        spec = dict(
            cmd = _keep_or(values.cmd, values.null_cmd),
            creation_time = values.creation_time,
            entrypoint = _keep_or(values.entrypoint, values.null_entrypoint),
            os_version = values.os_version,
            stamp_files = [f.path for f in stamp_files],
            user = values.user,
            workdir = values.workdir,
        ),
        stamp_files = stamp_files,
    )
