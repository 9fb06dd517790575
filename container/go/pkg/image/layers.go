package image

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// layer is what manifests and configurations say about a layer.
type layer struct {
	path   string // of its metadata or its blob, for messages
	env    []spec.KeyValue
	diffID v1.Hash

	kind   mediaTypes
	digest v1.Hash
	size   int64
	urls   []string
}

// readLayers reads the metadata of all layers, the archive's and the others, bottom-most
// first.
func readLayers(i spec.Image) ([]layer, error) {
	below, err := spec.ReadArchive(i.BaseArchive)
	if err != nil {
		return nil, err
	}
	layers := make([]layer, 0, len(below.Layers)+len(i.Layers))
	for _, l := range below.Layers {
		described, err := describe(l.Blob, l.Metadata)
		if err != nil {
			return nil, err
		}
		layers = append(layers, described)
	}
	for _, l := range i.Layers {
		m, err := spec.Read[spec.LayerMetadata](l.Metadata)
		if err != nil {
			return nil, err
		}
		described, err := describe(l.Metadata, m)
		if err != nil {
			return nil, err
		}
		described.env = l.Env
		layers = append(layers, described)
	}
	if err := markForeign(layers[:len(layers)-i.NewLayers], i.BaseManifest); err != nil {
		return nil, err
	}
	return layers, nil
}

// describe checks the metadata of a layer; path is the file to name in messages.
func describe(path string, m spec.LayerMetadata) (layer, error) {
	l := layer{path: path, size: m.Size, urls: m.URLs}
	var err error
	if l.digest, err = v1.NewHash(m.Digest); err != nil {
		return layer{}, fmt.Errorf("%s: digest: %w", path, err)
	}
	if l.diffID, err = v1.NewHash(m.DiffID); err != nil {
		return layer{}, fmt.Errorf("%s: diff_id: %w", path, err)
	}
	if l.kind, err = kindOf(types.MediaType(m.MediaType), len(m.URLs) > 0); err != nil {
		return layer{}, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// markForeign finds out from the base's manifest which of the base's layers are not
// to be distributed (those of Windows) and where they are to be had instead.
func markForeign(layers []layer, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the base's manifest: %w", err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: not the manifest of an image: %w", path, err)
	}
	for n := range layers {
		d, ok := described(m.Layers, layers, n)
		if !ok || len(layers[n].urls) > 0 {
			continue
		}
		kind, err := kindOf(d.MediaType, false)
		if err != nil || !kind.foreign {
			continue
		}
		// The URLs serve the blob as it is described there, which is not ours if
		// that had to be compressed again.
		layers[n].kind, layers[n].digest, layers[n].size, layers[n].urls = kind, d.Digest, d.Size, d.URLs
	}
	return nil
}

// described finds layer n in the base's manifest: by its digest or, where that has
// as many layers, by its position.
func described(descriptors []v1.Descriptor, layers []layer, n int) (v1.Descriptor, bool) {
	at := slices.IndexFunc(descriptors, func(d v1.Descriptor) bool { return d.Digest == layers[n].digest })
	if at < 0 && len(descriptors) == len(layers) {
		at = n
	}
	if at < 0 {
		return v1.Descriptor{}, false
	}
	return descriptors[at], true
}
