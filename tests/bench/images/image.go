package images

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is an OCI image layout with a single image.
type Image struct {
	Name     string // of the repository that it goes to
	Tag      string
	Layout   string // the layout's directory
	Manifest string // paths of the blobs in the layout
	Config   string
	Layers   []string
	// Size of all blobs and the manifest, in bytes.
	Size int64
	// Blobs are the sizes of the blobs by their digest.
	Blobs map[v1.Hash]int64
}

// New writes an image of layers below dir.
func New(dir, name string, layers []Layer) (*Image, error) {
	i := &Image{Name: name, Tag: "latest", Layout: filepath.Join(dir, name), Blobs: map[v1.Hash]int64{}}
	if err := os.MkdirAll(i.blob(""), 0o755); err != nil {
		return nil, err
	}
	config := v1.ConfigFile{
		Architecture: "amd64", OS: "linux",
		Config: v1.Config{Labels: map[string]string{"name": name}},
		RootFS: v1.RootFS{Type: "layers"},
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for _, layer := range layers {
		digest := layer.Descriptor.Digest
		if err := os.Link(layer.Path, i.blob(digest.Hex)); err != nil {
			return nil, err
		}
		i.Layers = append(i.Layers, i.blob(digest.Hex))
		i.Blobs[digest] = layer.Descriptor.Size
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.DiffID)
		config.History = append(config.History, v1.History{CreatedBy: "benchmark"})
		manifest.Layers = append(manifest.Layers, layer.Descriptor)
	}
	var err error
	if manifest.Config, err = i.write(types.OCIConfigJSON, config); err != nil {
		return nil, err
	}
	i.Blobs[manifest.Config.Digest] = manifest.Config.Size
	described, err := i.write(types.OCIManifestSchema1, manifest)
	if err != nil {
		return nil, err
	}
	i.Config, i.Manifest = i.blob(manifest.Config.Digest.Hex), i.blob(described.Digest.Hex)
	for _, size := range i.Blobs {
		i.Size += size
	}
	i.Size += described.Size
	described.Annotations = map[string]string{"org.opencontainers.image.ref.name": "latest"}
	index, err := json.Marshal(v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{described},
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(i.Layout, "index.json"), index, 0o600); err != nil {
		return nil, err
	}
	return i, os.WriteFile(filepath.Join(i.Layout, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600)
}

func (i *Image) blob(hex string) string { return filepath.Join(i.Layout, "blobs", "sha256", hex) }

func (i *Image) write(mediaType types.MediaType, document any) (v1.Descriptor, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return v1.Descriptor{}, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return v1.Descriptor{}, err
	}
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, os.WriteFile(i.blob(digest.Hex), data, 0o600)
}

// Recipe says what a set of images is made of.
type Recipe struct {
	Images int
	Shared int   // layers that all images have
	Own    int   // layers that each image has for itself, on top
	Size   int64 // of a layer, in bytes
}

// Make writes the images of a recipe below dir, which must exist.
func Make(dir string, r Recipe) ([]*Image, error) {
	seed := uint64(1)
	next := func(n int) (layers []Layer, err error) {
		for range n {
			layer, err := NewLayer(dir, seed, r.Size)
			if err != nil {
				return nil, err
			}
			seed++
			layers = append(layers, layer)
		}
		return layers, nil
	}
	shared, err := next(r.Shared)
	if err != nil {
		return nil, err
	}
	var all []*Image
	for n := range r.Images {
		own, err := next(r.Own)
		if err != nil {
			return nil, err
		}
		image, err := New(dir, fmt.Sprintf("app%02d", n), append(append([]Layer(nil), shared...), own...))
		if err != nil {
			return nil, err
		}
		all = append(all, image)
	}
	return all, nil
}

// Tagged are the images with another tag.
func Tagged(all []*Image, tag string) []*Image {
	var tagged []*Image
	for _, image := range all {
		other := *image
		other.Tag = tag
		tagged = append(tagged, &other)
	}
	return tagged
}

// UniqueBytes is what of images has to be sent at least: every blob once, and the
// manifests.
func UniqueBytes(all []*Image) (total int64) {
	seen := map[v1.Hash]bool{}
	for _, image := range all {
		blobs := int64(0)
		for digest, size := range image.Blobs {
			blobs += size
			if !seen[digest] {
				seen[digest] = true
				total += size
			}
		}
		total += image.Size - blobs
	}
	return total
}
