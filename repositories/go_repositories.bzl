"""go_deps(): what a WORKSPACE called for the Go programs of rules_docker."""

# buildifier: disable=unused-variable
def go_deps(go_repository_default_config = "@//:WORKSPACE"):
    """Does nothing: the programs of these rules need no Go rules.

    A WORKSPACE that builds Go itself has to call `go_rules_dependencies()`,
    `go_register_toolchains()` and `gazelle_dependencies()`, which rules_docker did here.

    Args:
      go_repository_default_config: str, accepted and not used.
    """
