package push

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ErrLayerFlag says that a -layer flag is not four paths.
var ErrLayerFlag = errors.New("a layer is four comma separated paths: compressed layer, uncompressed layer, " +
	"file with the compressed layer's sha256, file with the diff id")

// LayerFiles are the files of one layer, as a -layer flag names them.
type LayerFiles struct {
	Compressed   string
	Uncompressed string // not read
	Digest       string // file that holds the hex sha256 of Compressed
	DiffID       string // file that holds the hex sha256 of Uncompressed
}

// ParseLayer reads the value of a -layer flag.
func ParseLayer(value string) (LayerFiles, error) {
	f := strings.Split(value, ",")
	if len(f) != 4 {
		return LayerFiles{}, fmt.Errorf("%q has %d fields; %w", value, len(f), ErrLayerFlag)
	}
	return LayerFiles{Compressed: f[0], Uncompressed: f[1], Digest: f[2], DiffID: f[3]}, nil
}

// Parts are the pieces that an image is put together from.
type Parts struct {
	Config string // path of the configuration
	Layers []LayerFiles
	// Manifest is the path of the base image's manifest, which tells of foreign
	// layers; "" without a base.
	Manifest string
	// Tarball is the path of a docker-save archive with further layers, or "".
	Tarball string
}

// FromParts puts an image together. The configuration says which layers there are
// (image-spec config, rootfs.diff_ids); each is one of the parts' by its diff id,
// or one of the archive's, or a foreign layer of the base's manifest.
//
// Errors: a file cannot be read, or a layer is missing.
func FromParts(p Parts, format Format) (*Image, error) {
	data, err := os.ReadFile(p.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	parsed, err := v1.ParseConfigFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration %s: %w", p.Config, err)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	config := bytesBlob(v1.Descriptor{Digest: digest, Size: size}, data)
	config.Path = p.Config

	known := map[v1.Hash]Blob{}
	if err := addTarball(known, p.Tarball); err != nil {
		return nil, err
	}
	for _, files := range p.Layers {
		if err := addLayer(known, files); err != nil {
			return nil, err
		}
	}
	base, err := baseLayers(p.Manifest)
	if err != nil {
		return nil, err
	}
	layers := make([]Blob, len(parsed.RootFS.DiffIDs))
	for i, id := range parsed.RootFS.DiffIDs {
		layer, ok := known[id]
		switch {
		case i < len(base) && foreign(base[i]):
			layer = Blob{Descriptor: base[i]}
		case !ok:
			return nil, fmt.Errorf("layer %d of %s, with diff id %s, is in none of the files given", i, p.Config, id)
		}
		layers[i] = layer
	}
	return newImage(format, config, layers)
}

func addLayer(known map[v1.Hash]Blob, files LayerFiles) error {
	digest, err := readHash(files.Digest)
	if err != nil {
		return err
	}
	id, err := readHash(files.DiffID)
	if err != nil {
		return err
	}
	info, err := os.Stat(files.Compressed)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	mediaType, err := sniff(files.Compressed)
	if err != nil {
		return err
	}
	known[id] = fileBlob(v1.Descriptor{MediaType: mediaType, Digest: digest, Size: info.Size()}, files.Compressed)
	return nil
}

func addTarball(known map[v1.Hash]Blob, path string) error {
	if path == "" {
		return nil
	}
	img, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("reading the layers in %s: %w", path, err)
	}
	for i, layer := range layers {
		id, err := layer.DiffID()
		if err != nil {
			return fmt.Errorf("layer %d in %s: %w", i, path, err)
		}
		if known[id], err = layerBlob(layer); err != nil {
			return fmt.Errorf("layer %d in %s: %w", i, path, err)
		}
	}
	return nil
}

// baseLayers are the layers of a base's manifest. Upstream writes {} for no base.
func baseLayers(path string) ([]v1.Descriptor, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the base's manifest: %w", err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the base's manifest %s: %w", path, err)
	}
	return m.Layers, nil
}

// readHash reads a file that holds a sha256 in hex, with or without "sha256:".
func readHash(path string) (v1.Hash, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("layer: %w", err)
	}
	text := strings.TrimPrefix(strings.TrimSpace(string(data)), "sha256:")
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 32 {
		return v1.Hash{}, fmt.Errorf("%s does not hold a sha256 in hex", path)
	}
	return v1.Hash{Algorithm: "sha256", Hex: strings.ToLower(text)}, nil
}

// sniff tells a layer's media type by how its file begins.
func sniff(path string) (types.MediaType, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("layer: %w", err)
	}
	defer f.Close()
	magic := make([]byte, 4)
	n, err := io.ReadFull(f, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("layer %s: %w", path, err)
	}
	switch magic = magic[:n]; {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return types.DockerLayer, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return types.OCILayerZStd, nil
	default:
		return types.DockerUncompressedLayer, nil
	}
}
