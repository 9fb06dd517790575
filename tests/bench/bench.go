package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/clients"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/servers"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/tools"
)

type options struct {
	only          string
	rounds        int
	verbose       bool
	out, progress io.Writer
}

// bench is one run of the benchmark.
type bench struct {
	options
	dir       string // of its own, gone at the end
	launcher  measure.Launcher
	imagetool string

	pusher, crane, regctl, skopeo, write, multiWrite clients.Client
	// The registries: Debian's docker-registry, its successor, regclient's, and
	// go-containerregistry's.
	debian, distribution, olareg, memory servers.Kind
}

// workload is one thing that is measured, in one part of the project.
type workload struct {
	part, name, title string
	run               func(ctx context.Context) error
}

func (b *bench) workloads() []workload {
	return []workload{
		{"push", "many", "30 images", b.many},
		{"push", "one", "One image that is there already", b.one},
		{"push", "broken", "A connection that breaks", b.broken},
		{"push", "big", "One image, 20 layers of 50 MiB", b.big},
		{"push", "far", "The same, 20 ms away", b.far},
		{"push", "copy", "Who copies the bytes", b.kernelCopies},
		{"build", "files", "A layer of 10,000 files", b.files},
		{"build", "gigabyte", "A layer of one file of 1 GiB", b.gigabyte},
		{"build", "actions", "The actions after a touch, in Bazel", b.actions},
	}
}

// run does what the options ask for.
func run(ctx context.Context, o options) (err error) {
	b := &bench{options: o}
	chosen, err := choose(o.only, b.workloads())
	if err != nil {
		return err
	}
	if o.rounds < 1 {
		return errors.New("there has to be a round at least")
	}
	if b.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.say("building the programs")
	if err := b.setUp(ctx); err != nil {
		return err
	}
	b.header(ctx)
	for _, w := range chosen {
		b.say("%s: %s", w.name, w.title)
		fmt.Fprintf(b.out, "\n## %s (`%s`)\n", w.title, w.name)
		if err := w.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

func choose(only string, all []workload) ([]workload, error) {
	if only == "" {
		return all, nil
	}
	var chosen []workload
	for _, name := range strings.Split(only, ",") {
		found := false
		for _, w := range all {
			if w.name == name || w.part == name {
				chosen, found = append(chosen, w), true
			}
		}
		if !found {
			var names []string
			for _, w := range all {
				names = append(names, w.name)
				if !slices.Contains(names, w.part) {
					names = append(names, w.part)
				}
			}
			return nil, fmt.Errorf("there is no workload %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}

// setUp builds and finds all programs.
func (b *bench) setUp(ctx context.Context) error {
	own := map[string]string{}
	for _, pkg := range []string{"container/go/cmd/imagetool", "tests/bench/launch", "tests/bench/ggcr"} {
		program, err := tools.Own(ctx, b.dir, pkg)
		if err != nil {
			return err
		}
		own[filepath.Base(pkg)] = program
	}
	for _, peer := range tools.Peers() {
		program, err := peer.Build(ctx)
		if err != nil {
			return fmt.Errorf("building %s: %w", peer.Name, err)
		}
		own[peer.Name] = program
	}
	for _, name := range []string{"docker-registry", "skopeo", "pigz", "openssl", "strace", "tar"} {
		program, err := exec.LookPath(name)
		if err != nil {
			return fmt.Errorf("%w (make bench installs it on Debian)", err)
		}
		own[name] = program
	}
	b.launcher, b.imagetool = measure.Launcher{Program: own["launch"]}, own["imagetool"]
	b.pusher = clients.Pusher(b.imagetool, clients.Jobs)
	b.crane, b.regctl, b.skopeo = clients.Crane(own["crane"]), clients.Regctl(own["regctl"]), clients.Skopeo(own["skopeo"])
	b.write, b.multiWrite = clients.Library(own["ggcr"], "Write"), clients.Library(own["ggcr"], "MultiWrite")
	b.debian = servers.Distribution("docker-registry", own["docker-registry"])
	b.distribution = servers.Distribution("distribution 3", own["registry"])
	b.olareg, b.memory = servers.Olareg(own["olareg"]), servers.Memory()
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench: "+format+"\n", args...)
}

// scratch makes a directory for files of a workload. The caller removes it.
func (b *bench) scratch(name string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(b.dir, name+"-")
	return dir, func() { _ = os.RemoveAll(dir) }, err // what is left goes with b.dir
}
