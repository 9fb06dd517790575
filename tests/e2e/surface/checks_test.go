package surface

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

func (s *suite) testChecks(t *testing.T) {
	// Bazel 4 fetches this for any test; an empty one will do.
	stub := filepath.Join(s.root, "coverage")
	harness.Write(t, stub, "WORKSPACE", nil, 0o644)
	harness.Write(t, stub, "BUILD", []byte(`filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])`), 0o644)
	override := "--override_repository=remote_coverage_tools=" + stub
	s.bazel.Must(t, "test", override, "--test_output=errors", "//checks/...")
	for target, wants := range map[string][]string{
		"//checks:different":  {"//checks:different: test failed: not all image ids are "},
		"//checks:another-id": {"test failed"},
		"//checks:failing": {"FAIL File existence: gone", "/srv/gone is not there", `/srv/two.txt has no match of "one"`,
			`user is "", want "nobody"`, "test failed: 3 of 3"},
		"//checks:commands": {"commands.yaml: not supported: commandTests"},
	} {
		r := s.bazel.Run(t, "test", override, "--test_output=errors", target)
		for _, want := range wants {
			if r.Code == 0 || !strings.Contains(r.Output(), want) {
				t.Errorf("no %q in %s", want, r)
			}
		}
	}
}
