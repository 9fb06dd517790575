"""The base images of the language rules, which their repositories() pull."""

load("//container:pull.bzl", "container_pull")

# The kinds of an image that DIGESTS of a language has: the plain one, and one with a shell.
LATEST = "latest"
DEBUG = "debug"

def pull_bases(repository, digests, latest, debug):
    """Defines the pulls of a base image. Neither is fetched before something uses it.

    A repository that is there already is what somebody wants instead, and stays.

    Args:
      repository: str, on gcr.io.
      digests: dict from LATEST and DEBUG to str.
      latest: str, name of the plain image.
      debug: str, name of the image with a shell.
    """
    for name, kind in [(latest, LATEST), (debug, DEBUG)]:
        if name not in native.existing_rules():
            container_pull(
                name = name,
                digest = digests[kind],
                registry = "gcr.io",
                repository = repository,
            )

def select_base(latest, debug):
    """The base image for the compilation mode.

    Args:
      latest: str, name of the plain image.
      debug: str, name of the image for `-c dbg`.

    Returns:
      select() of labels.
    """
    plain = "@%s//image" % latest
    return select({
        str(Label("//:debug")): "@%s//image" % debug,
        str(Label("//:fastbuild")): plain,
        str(Label("//:optimized")): plain,
        "//conditions:default": plain,
    })
