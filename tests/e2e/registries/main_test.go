// Package registries_test pushes with the real pusher to real registries, over
// every transport, and looks at what arrived with real clients. It needs Go, Debian's
// docker-registry and skopeo; the other programs are built by tests/setup/program.sh.
package registries_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// programs are the paths of what the tests run.
type programs struct {
	pusher, registry, olareg, crane, regctl string
}

// tools is set before the first test and never after.
var tools programs

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "registries-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	tools.pusher = filepath.Join(dir, "pusher")
	build := exec.Command("go", "build", "-o", tools.pusher, "../../../container/go/cmd/pusher")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the pusher: %w\n%s", err, out)
	}
	for name, path := range map[string]*string{
		"registry": &tools.registry, "olareg": &tools.olareg, "crane": &tools.crane, "regctl": &tools.regctl,
	} {
		setup := exec.Command("../../setup/program.sh", name)
		setup.Stderr = os.Stderr
		out, err := setup.Output()
		if err != nil {
			return 0, fmt.Errorf("building %s: %w", name, err)
		}
		*path = strings.TrimSpace(string(out))
	}
	// The tests wait more than they compute: for tokens to end and networks to return.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
