package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// bazel runs Bazel in a workspace, with an output root of its own.
type bazel struct {
	launcher  string
	workspace string
	userRoot  string
	home      string
	env       []string
}

// newBazel returns the Bazel that the environment variable BAZEL names, or the one
// on PATH. Everything that it writes is below root. It sees no settings of the
// user's, among them a registry configuration that makes the first push succeed.
func newBazel(dir, root string) bazel {
	launcher := os.Getenv("BAZEL")
	if launcher == "" {
		launcher = "bazel"
	}
	home := filepath.Join(root, "home")
	return bazel{
		launcher:  launcher,
		workspace: dir,
		userRoot:  filepath.Join(root, "bazel"),
		home:      home,
		env:       workspace.Environ(home),
	}
}

// chatter is what tells a user nothing: Debian's sandbox, and Bazel's own progress.
var chatter = regexp.MustCompile(`(?m)^(.*linux-sandbox.*|Loading:.*|Analyzing:.*|\[[0-9].*|Starting local Bazel.*|INFO: .*|DEBUG: .*|Target .*|  bazel-bin/.*)\n`)

// run runs a command of Bazel and returns what it printed and its exit code.
func (b bazel) run(ctx context.Context, args ...string) (output string, code int, err error) {
	args = append([]string{"--output_user_root=" + b.userRoot, "--max_idle_secs=120"}, args...)
	cmd := exec.CommandContext(ctx, b.launcher, args...)
	cmd.Dir, cmd.Env = b.workspace, b.env
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", 0, fmt.Errorf("starting Bazel (the environment variable BAZEL names another): %w", err)
	}
	return chatter.ReplaceAllString(printed.String(), ""), cmd.ProcessState.ExitCode(), nil
}

func (b bazel) shutdown() error {
	output, code, err := b.run(context.Background(), "shutdown")
	if err != nil || code == 0 {
		return err
	}
	return fmt.Errorf("bazel shutdown ended with exit code %d: %s", code, output)
}
