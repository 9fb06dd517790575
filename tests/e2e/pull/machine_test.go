package pull

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// A repository rule that finds no program for the machine says so, and how to get one;
// and with that one it works.
func (s *suite) testUnknownMachine(t *testing.T) {
	s.bazel.Must(t, "build", "//machines:checked")

	own := "linux_" + runtime.GOARCH
	r := s.bazel.Run(t, "build", "@unknown_machine//image")
	if r.Code == 0 {
		t.Error("it succeeds")
	}
	for _, want := range []string{"unknown_machine", "no program for " + own, "go build ./container/go/cmd/imagetool", "docs/source.md", "RULES_DOCKER_IMAGETOOL"} {
		if !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in\n%s", want, r)
		}
	}

	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	tools, program := harness.TempDir(t), "prebuilt/"+own+"/imagetool"
	if err := release.Extract(tools, program); err != nil {
		t.Fatal(err)
	}
	s.bazel.With("RULES_DOCKER_IMAGETOOL="+filepath.Join(tools, program)).Must(t, "build", "@unknown_machine//image:digest")
}
