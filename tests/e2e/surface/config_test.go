package surface

import (
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// What toolchain_configure says holds for pushes, of images and of bundles.
func (s *suite) testDockerConfig(t *testing.T) {
	for _, target := range []string{"//docker:push", "//docker:push-all"} {
		r := s.bazel.Must(t, "run", target)
		if want := "Successfully pushed Docker image to " + s.guarded.Addr() + "/"; !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
	// The flag names other settings, here none: then there is no password.
	r := s.bazel.Run(t, "run", "--@io_bazel_rules_docker//toolchains/docker:config=//docker:none", "//docker:push")
	if want := "asks for credentials"; r.Code == 0 || !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
	s.bazel.Must(t, "build", with("//bundle", s.names("v1")...)...)
	plan := string(harness.Read(t, s.bazel.Bin("bundle/bundle.load.json")))
	if want := `"tool_flags":["--log-level=error"]`; !strings.Contains(plan, want) {
		t.Errorf("no %s in %s", want, plan)
	}
	// A rule that does resolve toolchains finds the same settings.
	s.bazel.Must(t, "query", "@io_bazel_rules_docker//toolchains/docker:all")
	toolchain := "@docker_config//:toolchain"
	if s.bazel.Bzlmod { // the main module does not know that name
		toolchain = "kind(docker_toolchain, deps(@io_bazel_rules_docker//toolchains/docker:config))"
	}
	settings := s.bazel.Must(t, "query", "--output=build", toolchain).Stdout
	if want := s.workspace + "/docker"; !strings.Contains(settings, want) {
		t.Errorf("no %q in %s", want, settings)
	}
}
