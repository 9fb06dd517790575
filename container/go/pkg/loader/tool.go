package loader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// grace is how long a tool may take to end once it was told to.
const grace = 10 * time.Second

// ExitError says that a container, or the tool that was to start it, ended with an
// exit code other than 0.
type ExitError struct {
	Tool string
	Code int
}

func (e *ExitError) Error() string { return fmt.Sprintf("%s run: exit code %d", e.Tool, e.Code) }

// ExitCode is the exit code for our own process.
func (e *ExitError) ExitCode() int { return e.Code }

// tool is docker or podman.
type tool struct {
	Params
	path string
}

// findTool takes the first that is set: the plan's tool, the environment variable
// DOCKER, docker on PATH, podman on PATH.
func findTool(p Params) (*tool, error) {
	wanted, source := p.Plan.Tool, "the docker toolchain"
	if wanted == "" {
		wanted, source = p.Getenv("DOCKER"), "the environment variable DOCKER"
	} else if strings.Contains(wanted, "/") && !filepath.IsAbs(wanted) {
		path, err := p.Resolve(wanted)
		if err != nil {
			return nil, fmt.Errorf("the tool of the docker toolchain: %w", err)
		}
		wanted = path
	}
	if wanted != "" {
		path, err := p.LookPath(wanted)
		if err != nil {
			return nil, fmt.Errorf("%s names %s, which cannot be run: %w", source, wanted, err)
		}
		return &tool{p, path}, nil
	}
	for _, name := range []string{"docker", "podman"} {
		if path, err := p.LookPath(name); err == nil {
			return &tool{p, path}, nil
		}
	}
	return nil, fmt.Errorf("%w: install either, name one in the environment variable DOCKER, or give docker_path "+
		"to toolchain_configure(name = \"docker_config\") in WORKSPACE", ErrNoTool)
}

func (t *tool) name() string {
	return strings.TrimSuffix(filepath.Base(t.path), ".exe")
}

// command prepares a call that the end of ctx ends, at first with SIGTERM, which
// docker passes on to the container.
func (t *tool) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := t.Command(ctx, t.path, append(append([]string{}, t.Plan.ToolFlags...), args...)...)
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return cmd.Process.Kill() // Windows has no signals
	}
	cmd.WaitDelay = grace
	cmd.Stderr = t.Stderr
	return cmd
}

// run runs the tool in the foreground.
func (t *tool) run(ctx context.Context, args []string) error {
	cmd := t.command(ctx, args)
	cmd.Stdin, cmd.Stdout = t.Stdin, t.Stdout
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &ExitError{Tool: t.name(), Code: exit.ExitCode()}
	case ctx.Err() != nil:
		return fmt.Errorf("%s run: %w", t.name(), ctx.Err())
	}
	return fmt.Errorf("%s run: %w", t.name(), err)
}
