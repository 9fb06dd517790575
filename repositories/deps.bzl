"""deps(): the second call of a WORKSPACE that uses these rules."""

# buildifier: disable=unused-variable
def deps(go_repository_default_config = "@//:WORKSPACE"):
    """Does nothing: these rules depend on no other repository.

    It stays so that a WORKSPACE written for rules_docker goes on loading.

    Args:
      go_repository_default_config: str, accepted and not used.
    """
