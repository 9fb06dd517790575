package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
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

// has tells whether the tool has all of the images, under whatever name, so that
// nothing needs to be sent to it.
func (t *tool) has(ctx context.Context, images []dockersave.Image) bool {
	for _, i := range images {
		cmd := t.command(ctx, []string{"image", "inspect", "--format={{.Id}}", i.ID.String()})
		cmd.Stderr = nil // that it has none is no error, and a tool that fails will say so when loading
		if cmd.Run() != nil {
			return false
		}
	}
	return true
}

// tag gives images that the tool has their names.
func (t *tool) tag(ctx context.Context, images []dockersave.Image) error {
	for _, i := range images {
		if err := t.command(ctx, []string{"tag", i.ID.String(), i.Tag}).Run(); err != nil {
			return fmt.Errorf("%s tag %s %s: %w", t.name(), i.ID, i.Tag, err)
		}
	}
	return nil
}

// load streams the archive into the tool.
func (t *tool) load(ctx context.Context, archive *dockersave.Archive) error {
	loading, stop := context.WithCancel(ctx)
	defer stop()
	cmd := t.command(loading, []string{"load"})
	// What it says of success we say ourselves, the same way for every tool.
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting %s load: %w", t.name(), err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s load: %w", t.name(), err)
	}
	to := &pipe{w: in}
	wrote := archive.Write(loading, to)
	broken := to.err != nil // the tool stopped reading; it knows why
	if wrote != nil && !broken {
		stop() // before it takes the end of its input for the end of the archive
	}
	in.Close()
	failed := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s load: %w", t.name(), ctx.Err())
	case wrote != nil && !broken:
		return wrote
	case failed != nil:
		return fmt.Errorf("%s load failed (is its daemon running, and may you use it?): %w", t.name(), failed)
	}
	// A tool that ends well has read what it needs, be it without the padding.
	return nil
}

// pipe tells errors of writing to a process from all others.
type pipe struct {
	w   io.Writer
	err error
}

func (p *pipe) Write(data []byte) (int, error) {
	n, err := p.w.Write(data)
	if err != nil {
		p.err = err
	}
	return n, err
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
