// Package savedimage takes images out of archives that "docker save", "podman save"
// and their like have made (Docker's image specification v1.2, "Combined Image JSON +
// Filesystem Changeset Format").
package savedimage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/layer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// maxDocument bounds manifest.json and configurations, in bytes.
const maxDocument = 16 << 20

// ErrNotSaved says that an archive is not one that "docker save" makes, or holds
// other than one image.
var ErrNotSaved = errors.New("not a docker-save archive of one image")

// ErrDamaged says that the parts of an archive do not fit together.
var ErrDamaged = errors.New("the archive is damaged or incomplete; save the image anew")

// Unpack takes the only image out of the docker-save archive at in, plain or
// compressed: its configuration, byte for byte, to the file config, and its layers
// as gzip blobs with a spec.ArchiveIndex to the directory dir, which may exist and
// has to be empty. A layer that is gzip in the archive keeps its bytes, any other is
// compressed, always to the same bytes. When it fails it leaves no file behind.
//
// Errors name the archive; they wrap ErrNotSaved where it is another kind of file.
func Unpack(ctx context.Context, in, dir, config string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("unpacking the image in %s: %w", in, err)
		}
	}()
	source, err := archive.OpenTar(ctx, in, filepath.Dir(config))
	if err != nil {
		return err
	}
	defer source.Close()
	names, err := readMembers(ctx, source)
	if err != nil {
		return err
	}
	image, err := names.image()
	if err != nil {
		return err
	}
	u := &unpacking{dir: dir, blobs: map[string]spec.ArchiveLayer{}}
	defer func() {
		if err != nil {
			u.undo()
		}
	}()
	if err := u.extract(ctx, source, names, image); err != nil {
		return err
	}
	return u.finish(config, image)
}

// saved is an image of an archive, by the members that hold its parts.
type saved struct {
	config string
	layers []string // bottom-most first; two may be the same
	// sources say of foreign layers, by diff id, where they are to be had.
	sources map[v1.Hash]v1.Descriptor
}

// image finds the parts of the only image.
func (m *members) image() (saved, error) {
	if m.manifest == nil {
		if _, ok := m.types["oci-layout"]; ok {
			return saved{}, fmt.Errorf("%w: it is an archive of the OCI's layout; convert it with: "+
				"skopeo copy oci-archive:FILE docker-archive:OTHER_FILE", ErrNotSaved)
		}
		return saved{}, fmt.Errorf("%w: there is no manifest.json in it", ErrNotSaved)
	}
	var manifest tarball.Manifest
	if err := json.Unmarshal(m.manifest, &manifest); err != nil {
		return saved{}, fmt.Errorf("%w: manifest.json: %w", ErrNotSaved, err)
	}
	if len(manifest) == 0 {
		return saved{}, fmt.Errorf("%w: manifest.json lists no image", ErrNotSaved)
	}
	var tags []string
	for _, d := range manifest {
		tags = append(tags, d.RepoTags...)
	}
	for _, d := range manifest[1:] {
		if d.Config != manifest[0].Config {
			return saved{}, fmt.Errorf("%w: it holds %d images (%q); save the one that is meant alone",
				ErrNotSaved, len(manifest), tags)
		}
	}
	config, err := m.resolve(manifest[0].Config)
	if err != nil {
		return saved{}, fmt.Errorf("configuration: %w", err)
	}
	image := saved{config: config, sources: manifest[0].LayerSources}
	for n, name := range manifest[0].Layers {
		resolved, err := m.resolve(name)
		if err != nil {
			return saved{}, fmt.Errorf("layer %d of %d: %w", n+1, len(manifest[0].Layers), err)
		}
		image.layers = append(image.layers, resolved)
	}
	return image, nil
}

// unpacking is an archive on its way to a directory.
type unpacking struct {
	dir     string
	config  []byte
	blobs   map[string]spec.ArchiveLayer // by member
	written []string
}

func (u *unpacking) undo() {
	for _, path := range u.written {
		os.Remove(path)
	}
}

// extract reads the configuration and writes the blobs, in the archive's order.
func (u *unpacking) extract(ctx context.Context, source *archive.Tar, names *members, image saved) error {
	if err := os.MkdirAll(u.dir, 0o755); err != nil {
		return err
	}
	first := map[string]int{} // where a blob is first needed: what its file is called by
	for n := len(image.layers) - 1; n >= 0; n-- {
		first[image.layers[n]] = n
	}
	return source.Walk(ctx, func(m archive.Member, content io.Reader) error {
		if !names.last(m) {
			return nil
		}
		if m.Name == image.config {
			var err error
			u.config, err = readDocument(m.Name, content)
			return err
		}
		n, wanted := first[m.Name]
		if !wanted {
			return nil
		}
		name := fmt.Sprintf("%03d.tar.gz", n)
		path := filepath.Join(u.dir, name)
		metadata, err := layer.Import(ctx, content, path)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		u.written = append(u.written, path)
		u.blobs[m.Name] = spec.ArchiveLayer{Blob: name, Metadata: metadata}
		return nil
	})
}

// finish checks the layers against the configuration and writes it and the index.
func (u *unpacking) finish(config string, image saved) error {
	parsed, err := v1.ParseConfigFile(bytes.NewReader(u.config))
	if err != nil {
		return fmt.Errorf("%s: not the configuration of an image: %w", image.config, err)
	}
	diffIDs := parsed.RootFS.DiffIDs
	if len(diffIDs) != len(image.layers) {
		return fmt.Errorf("%w: %s lists %d layers (rootfs.diff_ids), and manifest.json %d",
			ErrDamaged, image.config, len(diffIDs), len(image.layers))
	}
	index := spec.ArchiveIndex{Version: spec.Version, Layers: []spec.ArchiveLayer{}}
	for n, name := range image.layers {
		l := u.blobs[name]
		if l.Metadata.DiffID != diffIDs[n].String() {
			return fmt.Errorf("%w: %s unpacks to %s, and %s says %s", ErrDamaged, name, l.Metadata.DiffID, image.config, diffIDs[n])
		}
		// A layer that is no longer the blob that is to be had there, since the archive
		// has it plain, is one like any other.
		if source := image.sources[diffIDs[n]]; source.Digest.String() == l.Metadata.Digest {
			l.Metadata.URLs = source.URLs
		}
		index.Layers = append(index.Layers, l)
	}
	data, err := json.Marshal(index)
	if err != nil {
		return err
	}
	for _, o := range []struct {
		path string
		data []byte
	}{{filepath.Join(u.dir, spec.ArchiveIndexName), append(data, '\n')}, {config, u.config}} {
		u.written = append(u.written, o.path)
		if err := os.WriteFile(o.path, o.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
