"""go_deps(): what a WORKSPACE called for the Go programs of rules_docker."""

load(":go_modules.bzl", "go_modules")

# buildifier: disable=unused-variable
def go_deps(go_repository_default_config = "@//:WORKSPACE", go_repository = None):
    """Declares the Go modules that the programs are made of, for who builds them from source.

    Does nothing unless it is told how: the programs of a release need no Go rules. A
    WORKSPACE that builds them, or Go of its own, has to call `go_rules_dependencies()`,
    `go_register_toolchains()` and `gazelle_dependencies()`, which rules_docker did here.

    Args:
      go_repository_default_config: str, accepted and not used.
      go_repository: the rule of that name of gazelle's deps.bzl, or None.
    """
    if go_repository:
        go_modules(go_repository)
