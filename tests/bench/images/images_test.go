package images

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func TestMake(t *testing.T) {
	recipe := Recipe{Images: 2, Shared: 2, Own: 1, Size: 1000}
	all, err := Make(t.TempDir(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range all {
		t.Run(image.Name, func(t *testing.T) { check(t, image) })
	}
	shared := int64(0)
	for digest, size := range all[0].Blobs {
		if _, both := all[1].Blobs[digest]; both {
			shared += size
		}
	}
	if got, want := UniqueBytes(all), all[0].Size+all[1].Size-shared; got != want || shared < 2000 {
		t.Errorf("%d unique bytes, want %d (%d shared)", got, want, shared)
	}
	again, err := Make(t.TempDir(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	for digest := range all[1].Blobs {
		if _, same := again[1].Blobs[digest]; !same {
			t.Errorf("blob %s is not made again", digest)
		}
	}
}

// check reads an image as a client would, and hashes what it is told the hash of.
func check(t *testing.T, image *Image) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(image.Layout)
	if err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil || len(list.Manifests) != 1 {
		t.Fatalf("index %+v, %v", list, err)
	}
	read, err := index.Image(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if len(image.Layers) != 3 || len(image.Blobs) != 4 || len(config.RootFS.DiffIDs) != 3 {
		t.Fatalf("%d layers, %d blobs, %d diff ids", len(image.Layers), len(image.Blobs), len(config.RootFS.DiffIDs))
	}
	for n, path := range image.Layers {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		blob, size, err := v1.SHA256(file)
		if err != nil || blob.Hex != filepath.Base(path) || image.Blobs[blob] != size {
			t.Errorf("%s has digest %s and %d bytes (%v)", path, blob, size, err)
		}
		if _, err := file.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		plain, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if id, _, err := v1.SHA256(plain); err != nil || id != config.RootFS.DiffIDs[n] {
			t.Errorf("layer %d has diff id %s, not %s (%v)", n, id, config.RootFS.DiffIDs[n], err)
		}
	}
}
