package workspace

import (
	"slices"
	"strings"
	"testing"
)

func TestEnviron(t *testing.T) {
	t.Setenv("CONTAINERS_REGISTRIES_CONF", "/somebody/registries.conf")
	t.Setenv("HOME", "/somebody")
	t.Setenv("KEPT", "value")
	env := Environ("/tester")
	for _, want := range []string{
		"HOME=/tester", "DOCKER_CONFIG=/tester/.docker", "RULES_DOCKER_CONFIG_ROOT=/tester/system", "KEPT=value",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %q", want, env)
		}
	}
	for _, variable := range env {
		if strings.Contains(variable, "/somebody") {
			t.Errorf("it still has %s", variable)
		}
	}
}
