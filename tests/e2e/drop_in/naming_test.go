package dropin

import (
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

const status = "--workspace_status_command=stamping/status.sh"

func (s *suite) testStamping(t *testing.T) {
	t.Run("push", func(t *testing.T) {
		r := s.bazel.Must(t, "run", status, "//stamping:stamped")
		ref := s.ref("stamping/backend:v2.3.4")
		if !strings.Contains(r.Output(), "Successfully pushed Docker image to "+ref) {
			t.Error(r)
		}
		s.checkHello(t, harness.Pull(t, ref))
	})
	t.Run("unknown key", func(t *testing.T) {
		r := s.bazel.Run(t, "run", "//stamping:stamped")
		checkFailure(t, r, "//stamping:stamped", "{STABLE_")
	})
	// --stamp alone changes no image: builds of a pinned workspace stay reproducible.
	t.Run("image", func(t *testing.T) {
		for _, flag := range []string{"--nostamp", "--stamp"} {
			s.bazel.Must(t, "build", status, flag, "//stamping:image.json", "//stamping:unstamped.json")
			stamped := parseConfig(t, s.bazel.Bin("stamping/image.json"))
			c := stamped.Config
			if c.Labels["version"] != "v2.3.4" || c.Labels["plain"] != "literal" || c.User != "backend" || strings.Join(c.Env, " ") != "VERSION=v2.3.4" {
				t.Errorf("%s: stamped configuration %+v", flag, c)
			}
			if stamped.Created.Unix() == 0 {
				t.Errorf("%s: the creation time of a stamped image is the epoch", flag)
			}
			plain := parseConfig(t, s.bazel.Bin("stamping/unstamped.json"))
			if plain.Config.Labels["version"] != "{STABLE_VERSION}" || plain.Created.Unix() != 0 {
				t.Errorf("%s: unstamped configuration %+v", flag, plain)
			}
		}
	})
}

func (s *suite) testNameFiles(t *testing.T) {
	r := s.bazel.Must(t, "run", "//stamping:files")
	ref := s.ref("stamping/file:v4.5.6")
	if !strings.Contains(r.Output(), "Successfully pushed Docker image to "+ref+" - "+s.ref("stamping/file@sha256:")) {
		t.Error(r)
	}
	harness.Pull(t, ref)
}

func (s *suite) testCommandLine(t *testing.T) {
	ref := s.ref("other/app:v9")
	r := s.bazel.Must(t, "run", "//stamping:elsewhere", "--", "--dst="+ref, "--insecure-repository")
	if !strings.Contains(r.Output(), "Successfully pushed Docker image to "+ref) {
		t.Error(r)
	}
	harness.Pull(t, ref)
	strict := s.bazel.Run(t, "run", "//stamping:elsewhere", "--", "--dst="+ref)
	checkFailure(t, strict, "http: server gave HTTP response to HTTPS client")
	unknown := s.bazel.Run(t, "run", "//stamping:elsewhere", "--", "--colour=green")
	if unknown.Code == 0 || !strings.Contains(unknown.Output(), "colour") {
		t.Errorf("an unknown flag: %s", unknown)
	}
}
