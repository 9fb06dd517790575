package bzlmod

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// A lockfile is complete after one build, and holds for the next, also on a machine
// that has never seen this workspace. It has nothing of our extension, whose doings
// therefore never make it out of date; it has what other extensions do.
func (s *suite) testLockfile(t *testing.T) {
	b := s.locking(t)
	defer s.removeLockfile(t) // it must not decide what the other tests see
	first := s.lock(t, b, "update")
	if strings.Contains(first, "%container") {
		t.Errorf("the lockfile holds what came of the extension:\n%s", first)
	}
	if !strings.Contains(first, "//app:own.bzl%own") {
		t.Errorf("the lockfile lacks what came of another extension:\n%s", first)
	}
	for _, mode := range []string{"error", "update"} {
		if again := s.lock(t, b, mode); again != first {
			t.Errorf("--lockfile_mode=%s changes it to\n%s\nfrom\n%s", mode, again, first)
		}
	}
	s.checkRefusal(t, b)
	if !s.cell.Ahead { // another server takes long to start
		fresh := *b
		fresh.UserRoot = filepath.Join(s.root, "bazel-fresh")
		defer fresh.Must(t, "shutdown")
		if again := s.lock(t, &fresh, "error"); again != first {
			t.Errorf("another machine changes it to\n%s\nfrom\n%s", again, first)
		}
	}
}

func (s *suite) removeLockfile(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(s.workspace, "MODULE.bazel.lock")); err != nil {
		t.Error(err)
	}
}

// lock analyses everything in a lockfile mode, and returns the lockfile.
func (s *suite) lock(t *testing.T, b *harness.Bazel, mode string) string {
	t.Helper()
	b.Must(t, "build", append(s.flags, "--nobuild", "--lockfile_mode="+mode, "//app:all", "@own//:file")...)
	return string(harness.Read(t, filepath.Join(s.workspace, "MODULE.bazel.lock")))
}

// checkRefusal makes sure that --lockfile_mode=error does refuse: an extension that
// says something else than it did.
func (s *suite) checkRefusal(t *testing.T, b *harness.Bazel) {
	t.Helper()
	own := harness.Read(t, filepath.Join(s.workspace, "app", "own.bzl"))
	harness.Write(t, s.workspace, "app/own.bzl", []byte(strings.Replace(string(own), "first", "second", 1)), 0o644)
	r := b.Run(t, "build", append(s.flags, "--nobuild", "--lockfile_mode=error", "@own//:file")...)
	if r.Code == 0 || !strings.Contains(r.Output(), "no longer up-to-date") {
		t.Errorf("a lockfile that is out of date is not refused: %s", r)
	}
	harness.Write(t, s.workspace, "app/own.bzl", own, 0o644)
}

// locking returns a Bazel that writes and reads lockfiles. Debian's needs help with
// that: see tests/setup/bazel7/GenerateTypeAdapter.java.
func (s *suite) locking(t *testing.T) *harness.Bazel {
	t.Helper()
	if lock := s.lock(t, s.bazel, "update"); strings.TrimSpace(lock) != "{}" {
		return s.bazel
	}
	s.removeLockfile(t)
	const gson = "/usr/share/java/gson.jar" // Debian's Bazels come with it, and with javac
	classes := filepath.Join(s.root, "classes")
	source := filepath.Join("..", "..", "setup", "bazel7", "GenerateTypeAdapter.java")
	if out, err := exec.Command("javac", "--release", "17", "-cp", gson, "-d", classes, source).CombinedOutput(); err != nil {
		t.Fatalf("compiling what this Bazel lacks for lockfiles (on Debian: apt-get install default-jdk-headless libgoogle-gson-java): %v\n%s", err, out)
	}
	b := *s.bazel
	b.Startup = append([]string{"--host_jvm_args=-Xbootclasspath/a:" + classes + ":" + gson}, b.Startup...)
	b.UserRoot = filepath.Join(s.root, "bazel-locking")
	t.Cleanup(func() { b.Must(t, "shutdown") })
	return &b
}
