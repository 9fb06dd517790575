"""Which docker a rule of somebody else's is to start."""

def docker_path(toolchain_info):
    """The path of docker or podman.

    Args:
      toolchain_info: DockerToolchainInfo.

    Returns:
      str: the path of its tool_target, its tool_path or, without either, "docker".
    """
    if toolchain_info.tool_target:
        return toolchain_info.tool_target.files_to_run.executable.path
    return toolchain_info.tool_path or "docker"
