// Package push takes images from where a build left them to a registry. An Image
// is a manifest and the blobs it names; an Engine transfers any number of them.
package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Format is the family of media types of an image.
type Format string

const (
	Docker Format = "Docker" // Docker image manifest version 2, schema 2
	OCI    Format = "OCI"    // OCI image-spec manifest
)

// ErrFormat says that a format is neither Docker nor OCI.
var ErrFormat = errors.New("unknown image format")

// ParseFormat reads the value of a format attribute or flag.
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case Docker, OCI:
		return f, nil
	}
	return "", fmt.Errorf("%w %q; it has to be Docker or OCI", ErrFormat, text)
}

// line is an error in words that scripts may look for, since upstream's pusher
// printed them.
type line string

func (l line) Error() string { return string(l) }

const errConvert line = "Failed to convert image"

// Blob is a configuration or a layer: its descriptor as in the manifest, and where
// its bytes are.
type Blob struct {
	Descriptor v1.Descriptor
	// Path of the file that holds the blob; "" if there is none.
	Path string
	// Open reads the blob from its beginning. It is nil for a foreign layer, which
	// is not pushed.
	Open func() (io.ReadCloser, error)
}

// Image is an image ready to be pushed.
type Image struct {
	Manifest  []byte // the bytes to put
	MediaType types.MediaType
	Digest    v1.Hash // of Manifest
	Config    Blob
	Layers    []Blob // in the manifest's order
}

// fileBlob is the blob that is the whole content of a file.
func fileBlob(desc v1.Descriptor, path string) Blob {
	return Blob{Descriptor: desc, Path: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// bytesBlob is a blob in memory.
func bytesBlob(desc v1.Descriptor, data []byte) Blob {
	return Blob{Descriptor: desc, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// newImage makes an image whose manifest is written from its blobs, in format.
func newImage(format Format, config Blob, layers []Blob) (*Image, error) {
	config.Descriptor.MediaType = configType(format)
	m := v1.Manifest{SchemaVersion: 2, MediaType: manifestType(format), Config: config.Descriptor, Layers: []v1.Descriptor{}}
	converted := make([]Blob, len(layers))
	for i, layer := range layers {
		t, err := layerType(format, layer.Descriptor.MediaType)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", layer.Descriptor.Digest, err)
		}
		layer.Descriptor.MediaType = t
		converted[i] = layer
		m.Layers = append(m.Layers, layer.Descriptor)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return &Image{Manifest: data, MediaType: m.MediaType, Digest: digest, Config: config, Layers: converted}, nil
}

// Convert returns the image in format: itself if it is in that format already.
//
// Errors: a layer has a media type that the format does not have.
func (i *Image) Convert(format Format) (*Image, error) {
	if i.MediaType == manifestType(format) {
		return i, nil
	}
	converted, err := newImage(format, i.Config, i.Layers)
	if err != nil {
		return nil, fmt.Errorf("%w to %s format: %w", errConvert, format, err)
	}
	return converted, nil
}

func manifestType(f Format) types.MediaType {
	if f == OCI {
		return types.OCIManifestSchema1
	}
	return types.DockerManifestSchema2
}

func configType(f Format) types.MediaType {
	if f == OCI {
		return types.OCIConfigJSON
	}
	return types.DockerConfigJSON
}

// layerTypes pairs Docker's media types with the OCI's (image-spec, "Compatibility
// Matrix" of media types).
func layerTypes() [][2]types.MediaType {
	return [][2]types.MediaType{
		{types.DockerLayer, types.OCILayer},
		{types.DockerUncompressedLayer, types.OCIUncompressedLayer},
		{types.DockerForeignLayer, types.OCIRestrictedLayer},
	}
}

func layerType(f Format, t types.MediaType) (types.MediaType, error) {
	for _, pair := range layerTypes() {
		if t != pair[0] && t != pair[1] {
			continue
		}
		if f == OCI {
			return pair[1], nil
		}
		return pair[0], nil
	}
	if f == OCI {
		return t, nil // the OCI lets a layer be anything
	}
	return "", notDocker(t)
}

// CheckDocker says what is wrong with a manifest of Docker's format that names layers
// of the OCI's media types. It passes manifests of other formats.
//
// Docker's format (image manifest version 2, schema 2) knows no zstd, and podman and
// skopeo do not read an image of it that has a layer of the OCI's media types.
func CheckDocker(manifest []byte) error {
	m, err := v1.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	if m.MediaType != types.DockerManifestSchema2 {
		return nil
	}
	for _, layer := range m.Layers {
		if strings.HasPrefix(string(layer.MediaType), "application/vnd.oci.") {
			return fmt.Errorf("layer %s: %w", layer.Digest, notDocker(layer.MediaType))
		}
	}
	return nil
}

func notDocker(t types.MediaType) error {
	return fmt.Errorf("there is no media type in Docker's image format for a layer that is %s, and podman and others refuse "+
		"such an image; push it with format = \"OCI\", or build the layer with compression = \"gzip\"", t)
}
