// Command ggcr pushes OCI image layouts with a function of go-containerregistry, so
// that the benchmark can compare with what the library does by itself:
//
//	ggcr (Write | MultiWrite) JOBS (LAYOUT REFERENCE)...
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ggcr:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 4 || len(args)%2 != 0 {
		return errors.New("usage: ggcr (Write | MultiWrite) JOBS (LAYOUT REFERENCE) ...more pairs")
	}
	jobs, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	todo := map[name.Reference]remote.Taggable{}
	for i := 2; i < len(args); i += 2 {
		ref, err := name.ParseReference(args[i+1], name.Insecure)
		if err != nil {
			return err
		}
		if todo[ref], err = open(args[i]); err != nil {
			return err
		}
	}
	switch args[0] {
	case "MultiWrite":
		return remote.MultiWrite(todo, remote.WithJobs(jobs))
	case "Write":
		return write(todo, jobs)
	}
	return fmt.Errorf("no function %q", args[0])
}

// write makes one call per image, as many at a time as there are jobs.
func write(todo map[name.Reference]remote.Taggable, jobs int) error {
	var group errgroup.Group
	group.SetLimit(jobs)
	for ref, image := range todo {
		group.Go(func() error { return remote.Write(ref, image.(v1.Image), remote.WithJobs(jobs)) })
	}
	return group.Wait()
}

func open(path string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(path)
	if err != nil {
		return nil, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	return index.Image(list.Manifests[0].Digest)
}
