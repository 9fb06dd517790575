"""py_deps(): what a WORKSPACE called for the Python programs of rules_docker."""

def py_deps():
    """Does nothing: these rules have no Python programs."""
