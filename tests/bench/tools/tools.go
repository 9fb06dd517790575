// Package tools builds the programs that a benchmark runs: this project's own, and
// the peers' of one version each.
package tools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Peer is a program of another project.
type Peer struct {
	Name    string
	Module  string
	Version string
	Package string // below the module
}

// Peers are what this project is compared with, and the registries for that.
func Peers() []Peer {
	return []Peer{
		{"crane", "github.com/google/go-containerregistry", "v0.22.1", "cmd/crane"},
		{"regctl", "github.com/regclient/regclient", "v0.11.7", "cmd/regctl"},
		{"olareg", "github.com/olareg/olareg", "v0.1.1", "cmd/olareg"},
		{"registry", "github.com/distribution/distribution/v3", "v3.1.2", "cmd/registry"},
	}
}

// Own builds a command of this project the way a release is built, into dir. It is
// called in the root of the checkout.
func Own(ctx context.Context, dir, pkg string) (string, error) {
	program := filepath.Join(dir, filepath.Base(pkg))
	return program, run(ctx, "", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./"+pkg)
}

// Release makes the release archive for this machine alone, in dir, and returns its path.
// It is called in the root of the checkout.
func Release(ctx context.Context, dir string) (string, error) {
	host := runtime.GOOS + "_" + runtime.GOARCH
	if err := run(ctx, "", "run", "./release", "--platforms", host, "--out", dir); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("go run ./release left the archives %q in %s", found, dir)
	}
	return found[0], nil
}

// Path is where the program of p is, or would be once built.
func (p Peer) Path() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s-%s-%s", p.Name, p.Version, runtime.Version())
	return filepath.Join(cache, "rules_docker_for_insecure_registries", "bench", name, p.Name), nil
}

// Build builds p in a module of its own in the user's cache, unless it is there
// already, and returns its path.
func (p Peer) Build(ctx context.Context) (string, error) {
	program, err := p.Path()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	dir := filepath.Dir(program)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), p.Name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // what is left of it does no harm
	if err := os.WriteFile(filepath.Join(scratch, "go.mod"), []byte("module peer\n\ngo 1.25.0\n"), 0o600); err != nil {
		return "", err
	}
	pkg := p.Module + "/" + p.Package
	steps := [][]string{
		{"get", pkg + "@" + p.Version},
		{"build", "-trimpath", "-ldflags=-s -w", "-o", p.Name, pkg},
	}
	for _, args := range steps {
		if err := run(ctx, scratch, args...); err != nil {
			return "", err
		}
	}
	// Who comes second finds the place taken and uses what is there.
	if err := os.Rename(scratch, dir); err != nil {
		if _, there := os.Stat(program); there != nil {
			return "", err
		}
	}
	return program, nil
}

func run(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}
