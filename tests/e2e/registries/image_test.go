package registries_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer is a gzip layer.
type layer struct {
	blob           []byte
	digest, diffID v1.Hash
}

// newLayer makes a layer with one file of size random bytes: another for each seed.
func newLayer(t *testing.T, seed byte, size int) layer {
	t.Helper()
	content := make([]byte, size)
	source := rand.NewChaCha8([32]byte{seed})
	_, _ = source.Read(content) // never fails
	var plain, packed bytes.Buffer
	archive := tar.NewWriter(&plain)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: "data/random", Mode: 0o644, Size: int64(size)}
	if err := archive.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return layer{blob: packed.Bytes(), digest: hash(t, packed.Bytes()), diffID: hash(t, plain.Bytes())}
}

// image is an image in the bytes that a registry has to give out.
type image struct {
	format           string
	layers           []layer
	config, manifest []byte
	digest           v1.Hash
}

func newImage(t *testing.T, format string, layers ...layer) image {
	t.Helper()
	mediaTypes := map[string][3]types.MediaType{
		"Docker": {types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer},
		"OCI":    {types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer},
	}[format]
	config := v1.ConfigFile{Architecture: "amd64", OS: "linux", RootFS: v1.RootFS{Type: "layers"}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: mediaTypes[0]}
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		manifest.Layers = append(manifest.Layers, v1.Descriptor{
			MediaType: mediaTypes[2], Size: int64(len(l.blob)), Digest: l.digest,
		})
	}
	img := image{format: format, layers: layers, config: asJSON(t, config)}
	manifest.Config = v1.Descriptor{
		MediaType: mediaTypes[1], Size: int64(len(img.config)), Digest: hash(t, img.config),
	}
	img.manifest = asJSON(t, manifest)
	img.digest = hash(t, img.manifest)
	return img
}

func hash(t *testing.T, data []byte) v1.Hash {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
