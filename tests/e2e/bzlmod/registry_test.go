package bzlmod

import (
	"path/filepath"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// useRegistry makes the workspace take the modules from a registry.
func (s *suite) useRegistry(t *testing.T) {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	s.flags = harness.Registry(t, filepath.Join(s.root, "modules"), filepath.Join("..", "..", "..", ".bcr"), release)
	file := filepath.Join(s.workspace, "MODULE.bazel")
	harness.Write(t, s.workspace, "MODULE.bazel", harness.WithoutOverrides(t, harness.Read(t, file)), 0o644)
}
