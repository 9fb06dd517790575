package dropin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// checkFailure checks that a program was built, was run, and said what is wrong.
func checkFailure(t *testing.T, r harness.Result, wants ...string) {
	t.Helper()
	if r.Code != 1 {
		t.Errorf("exit code %d, want 1", r.Code)
	}
	if !strings.Contains(r.Output(), "Running command line") {
		t.Error("Bazel did not run it")
	}
	for _, want := range wants {
		if !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in the message", want)
		}
	}
	for _, bad := range []string{"Successfully", "panic:", "goroutine "} {
		if strings.Contains(r.Output(), bad) {
			t.Errorf("%q in the message", bad)
		}
	}
	if t.Failed() {
		t.Log(r)
	}
}

func (s *suite) testFailures(t *testing.T) {
	for _, tc := range []struct {
		target string
		wants  []string
	}{
		{"//failing:stopped", []string{"//failing:stopped", s.stopped, "connection refused"}},
		{"//failing:broken", []string{"//failing:broken", s.broken.Addr(), "the disk of this registry is broken"}},
		{"//failing:upper-case", []string{"//failing:upper-case", "Team/App"}},
	} {
		t.Run(tc.target, func(t *testing.T) {
			s.bazel.Must(t, "build", tc.target)
			checkFailure(t, s.bazel.Run(t, "run", tc.target), tc.wants...)
		})
	}
	t.Run("two mtimes", func(t *testing.T) {
		r := s.bazel.Run(t, "build", "//failing:two_times")
		if r.Code != 1 || !strings.Contains(r.Output(), "both mtime and portable_mtime") {
			t.Error(r)
		}
	})
}

func (s *suite) testVariables(t *testing.T) {
	t.Run("given", func(t *testing.T) {
		r := s.bazel.Must(t, "run", "--define=REGISTRY="+s.open.Addr(), "--define=PREFIX=variables/my-", "--define=TAG=1", "//failing:variables")
		if want := s.ref("variables/my-app:1"); !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in %s", want, r)
		}
		harness.Pull(t, s.ref("variables/my-app:1"))
	})
	t.Run("missing", func(t *testing.T) {
		r := s.bazel.Run(t, "build", "--define=REGISTRY=x", "--define=PREFIX=", "//failing:variables")
		if r.Code != 1 || !strings.Contains(r.Output(), "$(TAG)") || !strings.Contains(r.Output(), "//failing:variables") {
			t.Error(r)
		}
	})
	// KubeVirt builds like this where nothing is to be pushed.
	t.Run("empty", func(t *testing.T) {
		args := []string{"--define=REGISTRY=", "--define=PREFIX=", "--define=TAG=", "//failing:variables"}
		s.bazel.Must(t, "build", args...)
		checkFailure(t, s.bazel.Run(t, "run", args...), "//failing:variables", "registry")
	})
}

func (s *suite) testPasswords(t *testing.T) {
	const wrong = "let me in, please"
	for _, tc := range []struct {
		name, password string // no password: no credentials at all
		ok             bool
	}{
		{"none", "", false},
		{"wrong", wrong, false},
		{"right", registries.Password, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(s.root, "docker-config-"+tc.name)
			writeCredentials(t, dir, s.guarded.Addr(), tc.password)
			r := s.bazel.With("DOCKER_CONFIG="+dir).Run(t, "run", "//auth:push")
			for _, password := range []string{registries.Password, wrong} {
				for _, secret := range []string{
					password,
					base64.StdEncoding.EncodeToString([]byte(password)),
					base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + password)),
				} {
					if strings.Contains(r.Output(), secret) {
						t.Errorf("a secret is printed: %s", r)
					}
				}
			}
			if !tc.ok {
				checkFailure(t, r, "//auth:push", s.guarded.Addr(), "credentials", "docker login")
				return
			}
			if want := "Successfully pushed Docker image to " + s.guarded.Addr() + "/team/app:v1.0.0"; r.Code != 0 || !strings.Contains(r.Output(), want) {
				t.Errorf("no %q in %s", want, r)
			}
			// Whoever listens can read the password; the user should know.
			if !strings.Contains(strings.ToLower(r.Output()), "warning") {
				t.Errorf("no warning that a password goes over plain HTTP: %s", r)
			}
		})
	}
}

// writeCredentials writes a docker config.json for registries.User.
func writeCredentials(t *testing.T, dir, addr, password string) {
	t.Helper()
	auths := map[string]map[string]string{}
	if password != "" {
		pair := fmt.Sprintf("%s:%s", registries.User, password)
		auths[addr] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(pair))}
	}
	data, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	harness.Write(t, dir, "config.json", data, 0o600)
}
