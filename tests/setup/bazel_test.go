// Package setup tests the choices of this folder's scripts; what they run is recorded
// programs.
package setup

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a folder of programs, and a home.
type machine struct{ programs, home string }

// newMachine has what the scripts themselves need, and no Bazel.
func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{programs: t.TempDir(), home: t.TempDir()}
	for _, name := range []string{"bash", "cat", "chmod", "dirname", "env", "mkdir", "mktemp", "mv", "sh", "timeout"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// install adds a program that runs a line of shell.
func (m machine) install(t *testing.T, name, line string) string {
	t.Helper()
	path := filepath.Join(m.programs, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+line+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program on the machine and returns what it prints.
func (m machine) run(t *testing.T, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, complaint strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + m.programs, "HOME=" + m.home}
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	return strings.TrimSpace(out.String()), complaint.String(), err
}

// What stands for a Bazel says its version, and else what it was called for.
const (
	// A bazelisk gives the version that it is asked for.
	bazelisk = `[ "$*" != --version ] || { echo "bazel ${USE_BAZEL_VERSION:-9.0.0}"; exit; }; echo "NAME runs ${USE_BAZEL_VERSION:-9.0.0} $*"`
	plain4   = `[ "$*" != --version ] || { echo "bazel 4.2.2"; exit; }; echo "NAME runs $*"`
	plain8   = `[ "$*" != --version ] || { echo "bazel 8.4.2"; exit; }; echo "NAME runs $*"`
	debian   = `[ "$*" != --version ] || { echo "bazel no_version"; exit; }; echo "NAME runs $*"`
	broken   = `echo "cannot download" >&2; exit 1`
)

func TestBazelIsChosen(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs map[string]string
		major    string
		says     string // by the launcher, called with: build "//a b"
	}{
		{"bazelisk", map[string]string{"bazelisk": bazelisk}, "7", "bazelisk runs 7.7.1 build //a b"},
		{"bazelisk before a Bazel of the version", map[string]string{"bazelisk": bazelisk, "bazel": plain4}, "4", "bazelisk runs 4.2.3 build //a b"},
		{"bazelisk by the name of bazel", map[string]string{"bazel": bazelisk}, "7", "bazel runs 7.7.1 build //a b"},
		{"a bazelisk that cannot download", map[string]string{"bazelisk": broken, "bazel": plain4}, "4", "bazel runs build //a b"},
		{"a Bazel of the version", map[string]string{"bazel": plain4}, "4", "bazel runs build //a b"},
		{"Debian's", map[string]string{"bazel": debian, "dpkg-query": "echo 4.2.3+ds-9"}, "4", "bazel runs build //a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			for name, line := range c.programs {
				m.install(t, name, strings.ReplaceAll(line, "NAME", name))
			}
			launcher, complaint, err := m.run(t, "./bazel.sh", c.major)
			if err != nil || strings.Contains(launcher, "\n") {
				t.Fatalf("it prints %q: %v\n%s", launcher, err, complaint)
			}
			if says, complaint, err := m.run(t, launcher, "build", "//a b"); err != nil || says != c.says {
				t.Errorf("the launcher says %q, %v\n%s\nwant %q", says, err, complaint, c.says)
			}
		})
	}
}

// Where there is none of the version, Debian's packages are asked for.
func TestBazelIsInstalled(t *testing.T) {
	for name, programs := range map[string]map[string]string{
		"none":                            nil,
		"another version":                 {"bazel": plain8},
		"Debian's of another version":     {"bazel": debian, "dpkg-query": "echo 5.0.0"},
		"a bazelisk that cannot download": {"bazelisk": broken},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			for name, line := range programs {
				m.install(t, name, line)
			}
			m.install(t, "uname", "echo none") // for which there is no tree, and so nothing is fetched
			// The machine has no apt-get either, so that the scripts end by saying what they want.
			for major, want := range map[string]string{"4": "install what corresponds to: bazel-bootstrap", "7": "bazel7/tree.sh: "} {
				if out, complaint, err := m.run(t, "./bazel.sh", major); err == nil || !strings.Contains(complaint, want) {
					t.Errorf("%s: it prints %q, %v\n%s", major, out, err, complaint)
				}
			}
		})
	}
}

func TestBazelIsUnknown(t *testing.T) {
	for _, major := range []string{"", "3", "7.7.1"} {
		if out, complaint, err := newMachine(t).run(t, "./bazel.sh", major); err == nil || !strings.Contains(complaint, "4 and 7") {
			t.Errorf("%q: it prints %q, %v\n%s", major, out, err, complaint)
		}
	}
}
