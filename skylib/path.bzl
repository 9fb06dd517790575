"""Functions over path strings."""

load("//container/private:paths.bzl", "paths")
load("//container/private:programs.bzl", "runfiles_path")

def dirname(path):
    """The part of a path before its last slash.

    Args:
      path: str.

    Returns:
      str; "" if there is no slash.
    """
    return path.rpartition("/")[0]

def join(directory, path):
    """A path below a directory.

    Args:
      directory: str; "" and "." are where one is.
      path: str, relative.

    Returns:
      str.
    """
    return path if directory in ("", ".") else directory + "/" + path

def canonicalize(path):
    """Removes a leading slash or "./".

    Args:
      path: str.

    Returns:
      str.
    """
    for prefix in ["/", "./"]:
        if path.startswith(prefix):
            return path[len(prefix):]
    return path

def strip_prefix(path, prefix):
    """Removes leading directories, whole names at a time.

    Args:
      path: str.
      prefix: str.

    Returns:
      str: the rest, "" of the prefix itself, and `path` where it is not below `prefix`.
    """
    return paths.strip_prefix(path, prefix.rstrip("/"))

def runfile(ctx, f):
    """The path of a file below a runfiles root.

    Args:
      ctx: the rule's context.
      f: File.

    Returns:
      str: WORKSPACE/PATH.
    """
    return runfiles_path(ctx, f)
