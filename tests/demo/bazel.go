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
	"slices"

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

// chatter is what Bazel and Debian's sandbox print however they are asked not to.
var chatter = regexp.MustCompile(`(?m)^(.*linux-sandbox.*|Starting local Bazel.*|INFO: .*)\n`)

// quiet are options of every command that leave of Bazel's own output what went wrong:
// the rest, progress above all, differs from run to run and from one Bazel to another.
var quiet = []string{"--noshow_progress", "--ui_event_filters=fatal,error"}

// run runs a command of Bazel and returns what it printed and its exit code.
func (b bazel) run(ctx context.Context, command string, args ...string) (output string, code int, err error) {
	args = slices.Concat([]string{"--output_user_root=" + b.userRoot, "--max_idle_secs=120", command}, quiet, args)
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
