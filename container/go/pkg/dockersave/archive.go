// Package dockersave writes archives such as "docker save" makes and "docker load"
// and "podman load" read (Docker's image specification v1.2, "Combined Image JSON +
// Filesystem Changeset Format"; POSIX ustar, pax where a layer exceeds 8 GiB).
// Layers are streamed, never held in memory; equal inputs give equal bytes.
package dockersave

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/stamp"
)

// ErrDamaged says that a layer's blob is not what its metadata says.
var ErrDamaged = errors.New("the layer differs from its metadata")

// Archive is a docker-save archive whose small parts have been read and checked,
// and whose layers have not been opened yet.
type Archive struct {
	target  string
	images  []Image
	entries []entry
}

// Image is an image of an archive under one of its tags.
type Image struct {
	ID  v1.Hash // the digest of its configuration
	Tag string  // with {KEY}s replaced
}

// Open reads all that t names but the layers. Errors name t.Target or a file.
func Open(t spec.Tarball) (*Archive, error) {
	a := &Archive{target: t.Target}
	if err := a.open(t); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Target, err)
	}
	return a, nil
}

func (a *Archive) open(t spec.Tarball) error {
	layout, ok := map[string]func([]*image) ([]entry, error){"legacy": legacy, "compressed": compressed}[t.Format]
	if !ok {
		return fmt.Errorf("there is no archive format %q: use legacy or compressed", t.Format)
	}
	images, err := readImages(t)
	if err != nil {
		return err
	}
	for _, i := range images {
		a.images = append(a.images, Image{ID: i.id, Tag: i.tag})
	}
	a.entries, err = layout(images)
	return err
}

// Images lists the images in the order of the archive: by ID and, for equal IDs, as
// they were given.
func (a *Archive) Images() []Image { return slices.Clone(a.images) }

// Write writes the archive and checks each layer on the way. Errors wrap ErrDamaged
// where a layer is not the one it should be.
func (a *Archive) Write(ctx context.Context, w io.Writer) error {
	if err := writeEntries(ctx, w, a.entries); err != nil {
		return fmt.Errorf("%s: writing an archive: %w", a.target, err)
	}
	return nil
}

// Write writes the archive that t describes to w. When it fails, what w has got is
// not an archive.
func Write(ctx context.Context, w io.Writer, t spec.Tarball) error {
	a, err := Open(t)
	if err != nil {
		return err
	}
	return a.Write(ctx, w)
}

// WriteFile writes the archive that t describes to a file, which is there only if
// it is whole.
func WriteFile(ctx context.Context, path string, t spec.Tarball) error {
	a, err := Open(t)
	if err != nil {
		return err
	}
	return outfile.Write(path, func(w io.Writer) error { return a.Write(ctx, w) })
}

// image is a spec.TarballImage that has been read.
type image struct {
	tag    string
	id     v1.Hash
	raw    []byte
	config *v1.ConfigFile
	layers []*layer
}

func readImages(t spec.Tarball) ([]*image, error) {
	stamper, err := stamp.Read(t.StampFiles...)
	if err != nil {
		return nil, err
	}
	var images []*image
	tagged := map[string]v1.Hash{}
	for _, described := range t.Images {
		i, err := readImage(described)
		if err != nil {
			return nil, err
		}
		// Without status files braces are literal.
		if missing := stamper.Missing(i.tag); len(missing) > 0 && len(t.StampFiles) > 0 {
			return nil, fmt.Errorf("tag %q: the workspace status command gives no value for %s",
				i.tag, strings.Join(missing, ", "))
		}
		i.tag = stamper.Expand(i.tag)
		id, again := tagged[i.tag]
		if again && id != i.id {
			return nil, fmt.Errorf("tag %q is given to two different images", i.tag)
		}
		if again {
			continue
		}
		tagged[i.tag] = i.id
		images = append(images, i)
	}
	slices.SortStableFunc(images, func(a, b *image) int { return cmp.Compare(a.id.Hex, b.id.Hex) })
	return images, nil
}

func readImage(t spec.TarballImage) (*image, error) {
	if len(t.Layers) != len(t.Metadata) {
		return nil, fmt.Errorf("image %q has %d layers and %d metadata files", t.Tag, len(t.Layers), len(t.Metadata))
	}
	raw, err := os.ReadFile(t.Config)
	if err != nil {
		return nil, fmt.Errorf("reading a configuration: %w", err)
	}
	i := &image{tag: t.Tag, raw: raw, config: &v1.ConfigFile{}}
	if err := json.Unmarshal(raw, i.config); err != nil {
		return nil, fmt.Errorf("%s: not the configuration of an image: %w", t.Config, err)
	}
	if i.id, _, err = v1.SHA256(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("computing an image id: %w", err)
	}
	if i.layers, err = readLayers(t); err != nil {
		return nil, err
	}
	diffIDs := i.config.RootFS.DiffIDs
	if len(diffIDs) != len(i.layers) {
		return nil, fmt.Errorf("%s lists %d layers (rootfs.diff_ids), and %d are given for %q",
			t.Config, len(diffIDs), len(i.layers), t.Tag)
	}
	for n, l := range i.layers {
		if l.diffID != diffIDs[n] {
			return nil, fmt.Errorf("%s says that layer %d of %q unpacks to %s, and %s to %s",
				t.Config, n+1, t.Tag, diffIDs[n], l.path, l.diffID)
		}
	}
	return i, nil
}

// readLayers describes the layers of an unpacked archive and those on top of it.
func readLayers(t spec.TarballImage) ([]*layer, error) {
	below, err := spec.ReadArchive(t.Archive)
	if err != nil {
		return nil, err
	}
	var layers []*layer
	for _, l := range below.Layers {
		described, err := newLayer(l.Blob, t.Archive, l.Metadata)
		if err != nil {
			return nil, err
		}
		layers = append(layers, described)
	}
	for n, path := range t.Layers {
		described, err := readLayer(path, t.Metadata[n])
		if err != nil {
			return nil, err
		}
		layers = append(layers, described)
	}
	return layers, nil
}
