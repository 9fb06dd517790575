// Package images makes images of random bytes as OCI image layouts, which every
// client of the benchmark can read. The same seed gives the same bytes.
package images

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Layer is a layer in a file: a gzip stream that is not compressed, so that it has
// about the size that was asked for.
type Layer struct {
	Path       string
	Descriptor v1.Descriptor
	DiffID     v1.Hash
}

// Random returns an endless reader of the bytes of a seed.
func Random(seed uint64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// NewLayer writes a layer with one random file of size bytes into dir, under the
// name of its digest.
func NewLayer(dir string, seed uint64, size int64) (layer Layer, err error) {
	file, err := os.CreateTemp(dir, "layer-")
	if err != nil {
		return layer, err
	}
	defer file.Close() //nolint:errcheck // an error shows in Sync
	blob, plain := sha256.New(), sha256.New()
	var length counter
	zip, err := gzip.NewWriterLevel(io.MultiWriter(file, blob, &length), gzip.NoCompression)
	if err != nil {
		return layer, err
	}
	archive := tar.NewWriter(io.MultiWriter(zip, plain))
	header := &tar.Header{Name: fmt.Sprintf("data/%d", seed), Mode: 0o644, Size: size, Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		return layer, err
	}
	if _, err := io.CopyN(archive, Random(seed), size); err != nil {
		return layer, err
	}
	for _, finish := range []func() error{archive.Close, zip.Close, file.Sync} {
		if err := finish(); err != nil {
			return layer, fmt.Errorf("writing a layer: %w", err)
		}
	}
	layer = Layer{
		Descriptor: v1.Descriptor{MediaType: types.OCILayer, Size: int64(length), Digest: hash(blob.Sum(nil))},
		DiffID:     hash(plain.Sum(nil)),
	}
	layer.Path = filepath.Join(dir, layer.Descriptor.Digest.Hex)
	return layer, os.Rename(file.Name(), layer.Path)
}

func hash(sum []byte) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum)} }

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
