"""The module extension `container`: what macros do in a WORKSPACE, for MODULE.bazel.

    container = use_extension("@io_bazel_rules_docker//container:extensions.bzl", "container")
    container.pull(name = "base", registry = "...", repository = "...", digest = "sha256:...")
    use_repo(container, "base")
"""

load("//container:load.bzl", "LOAD_ATTRS", "container_load")
load("//container/private:pull_impl.bzl", "PULL_ATTRS")
load("//container/private:pull_rule.bzl", "container_pull")
load("//toolchains/docker:repository.bzl", "toolchain_configure")

# Each of these tags makes one repository. That of
# container_load is not called load: the word is Starlark's own.
_TAGS = {
    "load_archive": struct(attrs = LOAD_ATTRS, rule = container_load),
    "pull": struct(attrs = PULL_ATTRS, rule = container_pull),
}

# This module, which is the only one that uses @docker_config by its name.
_OWN_NAME = "rules_docker_for_insecure_registries"
_DOCKER_CONFIG = "docker_config"

def _repositories(module_ctx):
    """What all modules ask for: dict from name to struct of kind, values and module.

    Repositories of an extension share their names, so two modules may ask for the
    same one only if they mean the same.
    """
    found = {}
    for module in module_ctx.modules:
        for kind, tag in _TAGS.items():
            for said in getattr(module.tags, kind):
                values = {a: getattr(said, a) for a in tag.attrs}
                if said.name == _DOCKER_CONFIG:
                    fail("container.%s(name = \"%s\") of module %s: that name is taken" % (kind, said.name, module.name))
                known = found.get(said.name)
                if known and (known.kind, known.values) != (kind, values):
                    fail(("container.%s(name = \"%s\") of module %s is not the same as container.%s(name = \"%s\") of module %s: " +
                          "give one of them another name") % (kind, said.name, module.name, known.kind, known.name, known.module))
                found[said.name] = struct(kind = kind, module = module.name, name = said.name, values = values)
    return found

# What toolchain_configure() takes in a WORKSPACE, but for what it does not use.
_TOOLCHAIN_ATTRS = {
    "client_config": attr.label(doc = "A docker config.json."),
    "client_config_dir": attr.string(doc = "Directory of a docker config.json."),
    "docker_flags": attr.string_list(doc = "Options of docker before its subcommand."),
    "docker_path": attr.string(doc = "Path of docker or podman."),
    "docker_target": attr.label(doc = "docker or podman."),
}

def _toolchain(module_ctx):
    """Attributes of @docker_config, which is there whether somebody asks for it or not."""
    said = {}
    for module in module_ctx.modules:
        # The settings are those of whoever builds, not of the modules that are used.
        for tag in module.tags.toolchain_configure if module.is_root else []:
            if said:
                fail("container.toolchain_configure is said twice, and can be said once")
            said = {a: getattr(tag, a) for a in _TOOLCHAIN_ATTRS}
            said["docker_target"] = str(tag.docker_target) if tag.docker_target else ""
    return said

def _direct(module_ctx, dev):
    """The names that the main module asks for, as a dev_dependency or not."""
    names = []
    for module in module_ctx.modules:
        if not module.is_root:
            continue
        if module.name == _OWN_NAME and not dev:
            names.append(_DOCKER_CONFIG)
        for kind in _TAGS:
            for said in getattr(module.tags, kind):
                if module_ctx.is_dev_dependency(said) == dev and said.name not in names:
                    names.append(said.name)
    return names

def _container_impl(module_ctx):
    for name, repository in _repositories(module_ctx).items():
        _TAGS[repository.kind].rule(name = name, **repository.values)
    toolchain_configure(name = _DOCKER_CONFIG, **_toolchain(module_ctx))
    direct = _direct(module_ctx, dev = False)

    # It reads nothing but the tags, so a lockfile need not hold what came of them.
    return module_ctx.extension_metadata(
        reproducible = True,
        root_module_direct_deps = direct,
        root_module_direct_dev_deps = [n for n in _direct(module_ctx, dev = True) if n not in direct],
    )

container = module_extension(
    implementation = _container_impl,
    doc = "Repositories with images: `pull` from a registry, `load_archive` from a docker-save archive. " +
          "`toolchain_configure` says which docker and which credentials are used; only the root module's counts.",
    tag_classes = dict({
        kind: tag_class(attrs = dict(
            tag.attrs,
            name = attr.string(
                doc = "Name of the repository.",
                mandatory = True,
            ),
        ))
        for kind, tag in _TAGS.items()
    }, toolchain_configure = tag_class(attrs = _TOOLCHAIN_ATTRS)),
)
