package push

import (
	"bytes"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// FromTarball reads the only image of a docker-save archive. Layers that are not
// compressed in it are compressed as they are pushed, so this costs more than any
// other way.
//
// Errors: the archive cannot be read, or holds more than one image.
func FromTarball(path string, format Format) (*Image, error) {
	source, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	data, err := source.RawConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration in %s: %w", path, err)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	config := bytesBlob(v1.Descriptor{Digest: digest, Size: size}, data)
	layers, err := source.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading the layers in %s: %w", path, err)
	}
	blobs := make([]Blob, len(layers))
	for i, layer := range layers {
		if blobs[i], err = layerBlob(layer); err != nil {
			return nil, fmt.Errorf("reading layer %d in %s: %w", i, path, err)
		}
	}
	return newImage(format, config, blobs)
}

func layerBlob(layer v1.Layer) (Blob, error) {
	desc, err := partial.Descriptor(layer)
	if err != nil {
		return Blob{}, err
	}
	return Blob{Descriptor: *desc, Open: layer.Compressed}, nil
}
