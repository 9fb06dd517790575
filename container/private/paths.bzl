"""Where a file goes in an image. Pure functions over path strings."""

def _segments(path):
    """Splits a path and resolves `.` and `..`; None if it leaves the root."""
    out = []
    for segment in path.split("/"):
        if segment in ("", "."):
            continue
        if segment == "..":
            if not out:
                return None
            out.pop()
        else:
            out.append(segment)
    return out

def _normalize(path):
    """Resolves `.`, `..` and repeated slashes.

    Args:
      path: str, absolute or relative to the image's root.

    Returns:
      str without leading or trailing slash, or None if it leaves the root.
    """
    segments = _segments(path)
    return None if segments == None else "/".join(segments)

def _strip_prefix(path, prefix):
    """Removes leading directories, whole names at a time.

    Args:
      path: str, normalized.
      prefix: str, normalized; "" removes nothing.

    Returns:
      str: the rest, "" of the prefix itself, and `path` where it is not below `prefix`.
    """
    if prefix and path == prefix:
        return ""
    if prefix and path.startswith(prefix + "/"):
        return path[len(prefix) + 1:]
    return path

def _relative(short_path, data_path, package):
    """The part of a file's path that is kept below `directory`.

    Args:
      short_path: str, File.short_path; of another repository it is ../REPO/PATH.
      data_path: str, None or the attribute: "" keeps the base name only, a leading
        slash counts from the workspace's root, anything else from the package.
      package: str, the package of the target.

    Returns:
      str: a relative path.
    """
    if not data_path:
        return short_path.split("/")[-1]
    path = short_path[len("../"):] if short_path.startswith("../") else short_path
    prefix = data_path if data_path.startswith("/") else package + "/" + data_path
    normalized = _normalize(prefix)
    if normalized == None:
        fail("data_path %r leads out of the workspace" % data_path)
    return _strip_prefix(path, normalized)

def _join(directory, path):
    """The path in the image of `path` below `directory`.

    Args:
      directory: str, "" or "/" for the image's root.
      path: str, relative.

    Returns:
      str without leading slash; fails if it leaves the image's root.
    """
    joined = _normalize(directory + "/" + path)
    if joined == None:
        fail("%r below %r leads out of the image" % (path, directory))
    return joined

paths = struct(
    join = _join,
    normalize = _normalize,
    relative = _relative,
    strip_prefix = _strip_prefix,
)
