// Package cli is the main of the multi-call program: it tells from how the program
// was started which of them it is to be.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/builder"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/commands"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/importer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/launch"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/loader"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/puller"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/pusher"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// Process is what a program gets from its process.
type Process struct {
	Args           []string // the program's name first, as os.Args
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Version of the release that the program belongs to.
	Version string
}

// program runs with the arguments behind its name and returns an exit code.
type program func(ctx context.Context, p Process, args []string) int

// programs by the name that they are called by.
func programs() map[string]program {
	known := map[string]program{
		"builder": runBuilder,
		"loader":  runLoader,
		"puller":  runPuller,
		"pusher":  runPusher,
	}
	for _, name := range commands.Names() {
		known[name] = func(ctx context.Context, p Process, args []string) int {
			return exitCode(p, commands.Run(ctx, name, commands.Params{Args: args, Stdout: p.Stdout, Stderr: p.Stderr}))
		}
	}
	return known
}

// Main runs the program that p.Args ask for and returns its exit code. A plan beside
// the executable decides; else the executable's name, or that of what it is a symbolic
// link to; else the first argument.
func Main(ctx context.Context, p Process) int {
	if len(p.Args) == 0 {
		p.Args = []string{"imagetool"}
	}
	if found, ok := launch.Find(p.Args[0]); ok {
		switch found.Kind {
		case launch.Load:
			return runLoader(ctx, p, p.Args[1:])
		case launch.Test:
			return exitCode(p, test(ctx, p, found))
		}
		return runPusher(ctx, p, p.Args[1:])
	}
	known := programs()
	for _, name := range launch.Names(p.Args[0]) {
		if run, ok := known[name]; ok {
			return run(ctx, p, p.Args[1:])
		}
	}
	if len(p.Args) > 1 {
		if run, ok := known[p.Args[1]]; ok {
			return run(ctx, p, p.Args[2:])
		}
	}
	fmt.Fprintf(p.Stderr, "ERROR: %[1]s: if a rule made it, its plan has to lie beside it: %[1]s.push.json, .load.json or .test.json. "+
		"Else name the program to be, as the first argument or as the name of the executable: %[2]s\n",
		filepath.Base(p.Args[0]), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	return 2
}

// Pusher is Main for a program that is the pusher whatever it is called.
func Pusher(ctx context.Context, p Process) int { return runPusher(ctx, p, p.Args[1:]) }

// Puller is Main for a program that is the puller whatever it is called.
func Puller(ctx context.Context, p Process) int { return runPuller(ctx, p, p.Args[1:]) }

func runPuller(ctx context.Context, p Process, args []string) int {
	return puller.Run(ctx, puller.Params{
		Args:      args,
		Stdout:    p.Stdout,
		Stderr:    p.Stderr,
		Getenv:    p.Getenv,
		UserAgent: "rules_docker_for_insecure_registries/" + p.Version,
	})
}

func runPusher(ctx context.Context, p Process, args []string) int {
	return pusher.Run(ctx, pusher.Params{
		Argv0:     p.Args[0],
		Args:      args,
		Stdout:    p.Stdout,
		Stderr:    p.Stderr,
		Getenv:    p.Getenv,
		UserAgent: "rules_docker_for_insecure_registries/" + p.Version,
	})
}

func runBuilder(ctx context.Context, p Process, args []string) int {
	return exitCode(p, builder.Run(ctx, args, p.Stderr))
}

func runLoader(ctx context.Context, p Process, args []string) int {
	return exitCode(p, load(ctx, p, args))
}

// load is two programs, since rules_docker had two of that name: with a plan beside
// it, it loads images into docker, and without one, it takes an archive apart.
func load(ctx context.Context, p Process, args []string) error {
	found, ok := launch.Find(p.Args[0])
	if !ok || found.Kind != launch.Load {
		return importer.Run(ctx, args, p.Stderr)
	}
	plan, err := spec.Read[spec.LoadPlan](found.Path)
	if err != nil {
		return err
	}
	return loader.Run(ctx, loader.Params{
		Plan:     plan,
		Resolve:  launch.Runfiles(found.Program, p.Getenv),
		Args:     args,
		Getenv:   p.Getenv,
		Stdin:    p.Stdin,
		Stdout:   p.Stdout,
		Stderr:   p.Stderr,
		LookPath: exec.LookPath,
		Command:  exec.CommandContext,
	})
}

// exitCode prints err, unless it is the exit code of a container, which said itself
// what there was to say.
func exitCode(p Process, err error) int {
	var exit *loader.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	case errors.Is(err, builder.ErrUsage), errors.Is(err, importer.ErrUsage), errors.Is(err, commands.ErrUsage):
		fmt.Fprintf(p.Stderr, "ERROR: %v\n", err)
		return 2
	}
	fmt.Fprintf(p.Stderr, "ERROR: %v\n", err)
	return 1
}
