package registries_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// stuck is after how long a program is taken to hang.
const stuck = 2 * time.Minute

// item is one image of a push and where it goes.
type item struct {
	image      image
	repository string
	tag        string
	base       string // repository that has all its layers, or ""
	skip       bool   // skip_unchanged_digest
}

// result is the outcome of a program.
type result struct {
	code   int
	output string
}

// want fails the test unless the exit code is code and the output has every text.
func (r result) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d:\n%s", r.code, code, r.output)
	}
	for _, text := range texts {
		if !strings.Contains(r.output, text) {
			t.Errorf("no %q in:\n%s", text, r.output)
		}
	}
}

// target lays out what Bazel leaves for a target that pushes items to s: the program
// NAME, its plan and its runfiles. It returns the command that bazel run would start.
func (s *site) target(t *testing.T, items ...item) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	plan := spec.PushPlan{Version: 1}
	save := func(name string, data []byte) string {
		file := filepath.Join("push.runfiles", "ws", name)
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			harness.Write(t, dir, file, data, 0o600)
		}
		return "ws/" + name
	}
	for i, it := range items {
		p := spec.Push{
			Target: fmt.Sprintf("//app:push%d", i), BuildFile: "app/BUILD.bazel", Rule: "container_push",
			Format: it.image.format, Registry: s.wire.Addr(), Repository: it.repository, Tag: it.tag,
			InsecureRepository: s.insecure, SkipUnchangedDigest: it.skip,
			Manifest: save(it.image.digest.Hex+".json", it.image.manifest),
			Config:   save(fmt.Sprintf("config%d.json", i), it.image.config),
		}
		for _, l := range it.image.layers {
			p.Layers = append(p.Layers, save(l.digest.Hex, l.blob))
		}
		if it.base != "" {
			p.BaseRegistry, p.BaseRepository, p.BaseLayers = s.wire.Addr(), it.base, len(p.Layers)
		}
		plan.Images = append(plan.Images, p)
	}
	harness.Write(t, dir, "push.push.json", asJSON(t, plan), 0o600)
	program := filepath.Join(dir, "push")
	if err := os.Symlink(tools.pusher, program); err != nil {
		t.Fatal(err)
	}
	return s.command(t, s.env, program)
}

// push pushes items and returns how that ended.
func (s *site) push(t *testing.T, items ...item) result {
	t.Helper()
	return finish(t, s.target(t, items...))
}

// command is a program in an environment that knows nothing but the site.
func (s *site) command(t *testing.T, env []string, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stuck)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.home
	cmd.Env = append([]string{"HOME=" + s.home, "PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	return result{cmd.ProcessState.ExitCode(), output.String()}
}
