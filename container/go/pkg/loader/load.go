package loader

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
)

// provide gives the tool the images of the archive, and sends it what it lacks.
func (t *tool) provide(ctx context.Context, archive *dockersave.Archive) error {
	images := archive.Images()
	if t.has(ctx, images) {
		return t.tag(ctx, images)
	}
	less := archive.Without(t.chains(ctx))
	all, missing := archive.Layers(), less.Layers()
	if missing == all {
		return t.load(ctx, archive, t.Stderr)
	}
	fmt.Fprintf(t.Stderr, "%s has %d of %d layers; sending %d\n", t.name(), all-missing, all, missing)
	var said bytes.Buffer
	if t.load(ctx, less, &said) == nil {
		return nil
	}
	// An image may have been removed meanwhile, or whoever answers for docker wants
	// whole archives. If that is not why it failed, this fails too, and says why.
	return t.load(ctx, archive, t.Stderr)
}

// has tells whether the tool has all of the images, under whatever name, so that
// nothing needs to be sent to it.
func (t *tool) has(ctx context.Context, images []dockersave.Image) bool {
	for _, i := range images {
		if _, err := t.ask(ctx, "image", "inspect", "--format={{.Id}}", i.ID.String()); err != nil {
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

// load streams an archive into the tool. What the tool has to complain of goes to
// complaints.
func (t *tool) load(ctx context.Context, archive *dockersave.Archive, complaints io.Writer) error {
	loading, stop := context.WithCancel(ctx)
	defer stop()
	cmd := t.command(loading, []string{"load"})
	cmd.Stderr = complaints
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
