// Package layer builds image layers: one pass from the files on disk to the
// compressed blob, its digest, its diff id and its sizes. The bytes depend on the
// layer's description and its inputs alone.
//
// Formats: POSIX pax (ustar wherever it suffices) for the tar, OCI image-spec
// "layer.md" for what it means.
package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// Builder builds layers.
type Builder struct {
	// Warnings gets a line for each path that was claimed twice.
	Warnings io.Writer
}

// Build builds a layer with warnings on standard error; see Builder.Build.
func Build(ctx context.Context, l spec.Layer, out Outputs) error {
	return Builder{Warnings: os.Stderr}.Build(ctx, l, out)
}

// Build writes the layer that l describes. On an error none of the outputs exists.
// Errors name the layer's target and the file or the archive's member at fault.
func (b Builder) Build(ctx context.Context, l spec.Layer, out Outputs) error {
	if err := b.build(ctx, l, out); err != nil {
		return fmt.Errorf("building the layer of %s: %w", l.Target, err)
	}
	return nil
}

func (b Builder) build(ctx context.Context, l spec.Layer, out Outputs) error {
	in, err := b.open(ctx, l, out.tempDir())
	if err != nil {
		return err
	}
	err = writeBlob(out, l.Compression, func(w io.Writer) error {
		return b.write(ctx, l, in, w)
	})
	return errors.Join(err, in.close())
}

// write emits the tar of the layer, in the order that spec.Layer prescribes.
func (b Builder) write(ctx context.Context, l spec.Layer, in *inputs, w io.Writer) error {
	modes, err := parseModes(l.Mode)
	if err != nil {
		return err
	}
	root, err := cleanPath("root", l.Root)
	if err != nil {
		return err
	}
	t := newTree(w, in.declared, time.Unix(l.MTime, 0), func(format string, args ...any) {
		fmt.Fprintf(b.Warnings, "%s: "+format+"\n", append([]any{l.Target}, args...)...)
	})
	own := &own{ctx: ctx, tree: t, modes: modes, root: root}
	if err := own.setAttributes(l.Attributes); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return own.files(l.Files) },
		func() error { return own.emptyFiles(l.EmptyFiles) },
		func() error { return own.emptyDirs(l.EmptyDirs) },
		func() error { return own.ownedDirs(l.OwnedDirs) },
		func() error { return own.symlinks(l.Symlinks) },
		func() error { return in.emit(ctx, t) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return t.close()
}

// cleanPath normalises a path of the layer's description; what names it in errors.
func cleanPath(what, name string) (string, error) {
	rel, _, err := archive.Clean(name)
	if err != nil {
		return "", fmt.Errorf("%s %q climbs above the image's root; remove the \"..\"", what, name)
	}
	return rel, nil
}
