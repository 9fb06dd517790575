package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Environ is the environment of a user whose home directory is home, on a machine where
// nobody has been told anything about registries: neither the files of whoever runs the
// tests nor those of this machine may decide how a test ends.
func Environ(home string) []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(personal(), name)
	})
	return append(env,
		"HOME="+home,
		"DOCKER_CONFIG="+filepath.Join(home, ".docker"),
		NoSystem(home),
	)
}

// NoSystem is the variable, NAME=VALUE, by which a folder that is not there, that of
// System, takes the place of / for the registry configuration of the machine.
func NoSystem(home string) string { return "RULES_DOCKER_CONFIG_ROOT=" + System(home) }

// System is the path of that folder.
func System(home string) string { return filepath.Join(home, "system") }

// personal are the variables that say where somebody's settings for registries,
// pulls and docker are.
func personal() []string {
	return []string{
		"CONTAINERS_REGISTRIES_CONF", "REGISTRIES_CONFIG_PATH", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
		"DOCKER", "DOCKER_CONFIG", "DOCKER_DAEMON_CONFIG", "DOCKER_HOST", "DOCKER_REPO_CACHE",
		"HOME", "PULLER_TIMEOUT", "RULES_DOCKER_CONFIG_ROOT", "RULES_DOCKER_IMAGETOOL",
	}
}
