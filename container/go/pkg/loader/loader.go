// Package loader loads images into docker or podman, tags them and, if the plan
// says so, starts a container: what "bazel run" of an image does.
package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// ErrNoTool says that there is neither docker nor podman.
var ErrNoTool = errors.New("neither docker nor podman found")

// Params is what a run needs. All fields are required but Args and Stdin.
type Params struct {
	Plan spec.LoadPlan
	// Resolve turns the plan's runfiles paths into paths of files.
	Resolve func(string) (string, error)
	// Args are the user's: [OPTION OF docker run ...] [--norun] [-- ARGUMENT OF THE
	// CONTAINER ...]. They are ignored when the plan runs no container.
	Args []string

	Getenv         func(string) string
	Stdin          io.Reader // of the container
	Stdout, Stderr io.Writer

	LookPath func(string) (string, error)
	Command  func(ctx context.Context, name string, args ...string) *exec.Cmd
}

// Run loads the plan's images and runs the container that it asks for. If that
// fails the error is an *ExitError with the container's exit code. The end of ctx
// ends what was started.
func Run(ctx context.Context, p Params) error {
	target := p.Plan.Tarball.Target
	args, err := parseArgs(p)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	archive, err := open(p)
	if err != nil {
		return err
	}
	images := archive.Images()
	if args.run && len(images) != 1 {
		return fmt.Errorf("%s: there are %d images, and only a single one can be run", target, len(images))
	}
	t, err := findTool(p)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if err := t.provide(ctx, archive); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	for _, i := range images {
		fmt.Fprintf(p.Stdout, "Loaded image ID: %s\nTagging %s as %s\n", i.ID, i.ID.Hex, i.Tag)
	}
	if !args.run {
		return nil
	}
	command := append([]string{"run"}, args.options...)
	command = append(command, images[0].Tag)
	return t.run(ctx, append(command, args.container...))
}

// open reads the plan's archive with all its paths resolved.
func open(p Params) (*dockersave.Archive, error) {
	t := p.Plan.Tarball
	var failed error
	resolve := func(path string) string {
		if path == "" {
			return ""
		}
		resolved, err := p.Resolve(path)
		if err != nil && failed == nil {
			failed = err
		}
		return resolved
	}
	all := func(paths []string) []string {
		resolved := make([]string, len(paths))
		for n, path := range paths {
			resolved[n] = resolve(path)
		}
		return resolved
	}
	images := make([]spec.TarballImage, len(t.Images))
	for n, i := range t.Images {
		images[n] = spec.TarballImage{
			Tag: withTag(i.Tag), Config: resolve(i.Config), Archive: resolve(i.Archive),
			Layers: all(i.Layers), Metadata: all(i.Metadata),
		}
	}
	t.Images, t.StampFiles = images, all(t.StampFiles)
	if failed != nil {
		return nil, fmt.Errorf("%s: %w", t.Target, failed)
	}
	return dockersave.Open(t)
}

// withTag completes a repository alone as docker does where a user names an image;
// in an archive docker refuses it.
func withTag(name string) string {
	if strings.LastIndexByte(name, ':') > strings.LastIndexByte(name, '/') {
		return name
	}
	return name + ":latest"
}
