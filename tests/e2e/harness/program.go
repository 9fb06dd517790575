package harness

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// BuildProgram builds the Go package in the directory src for the host, without
// cgo, so that a workspace of a test needs nothing but Bazel. Each of env, KEY=VALUE,
// may make it one for another platform.
func BuildProgram(t *testing.T, src, out string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir, cmd.Env = src, append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if r := run(t, cmd); r.Code != 0 {
		t.Fatal(r)
	}
}

// Program returns the path of a registry, client or cache by its name in
// tests/setup/tools. It is built if it is not there.
func Program(t *testing.T, name string) string {
	t.Helper()
	setup := exec.Command("../../setup/program.sh", name)
	setup.Stderr = os.Stderr
	path, err := setup.Output()
	if err != nil {
		t.Fatalf("building %s: %v", name, err)
	}
	return strings.TrimSpace(string(path))
}
