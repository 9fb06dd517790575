package harness

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Skopeo runs skopeo, which has to succeed, and returns what it prints.
func Skopeo(t *testing.T, args ...string) []byte {
	t.Helper()
	r := run(t, exec.Command("skopeo", args...))
	if r.Code != 0 {
		t.Fatal(r)
	}
	return []byte(r.Stdout)
}

// Image is an image as a registry gives it out.
type Image struct {
	RawManifest []byte
	RawConfig   []byte
	Digest      v1.Hash // of the manifest
	Manifest    *v1.Manifest
	Config      *v1.ConfigFile
	Layers      [][]Entry // bottom-most first
}

// Pull reads an image from a registry over plain HTTP and checks every digest and
// size that its manifest and its configuration state.
func Pull(t *testing.T, ref string) *Image {
	t.Helper()
	dir := TempDir(t)
	Skopeo(t, "copy", "--src-tls-verify=false", "docker://"+ref, "dir:"+dir)
	image := &Image{
		RawManifest: Skopeo(t, "inspect", "--tls-verify=false", "--raw", "docker://"+ref),
		RawConfig:   Skopeo(t, "inspect", "--tls-verify=false", "--raw", "--config", "docker://"+ref),
	}
	var err error
	if image.Digest, _, err = v1.SHA256(bytes.NewReader(image.RawManifest)); err != nil {
		t.Fatal(err)
	}
	if image.Manifest, err = v1.ParseManifest(bytes.NewReader(image.RawManifest)); err != nil {
		t.Fatal(err)
	}
	if image.Config, err = v1.ParseConfigFile(bytes.NewReader(image.RawConfig)); err != nil {
		t.Fatal(err)
	}
	checkBlob(t, "configuration", image.RawConfig, image.Manifest.Config)
	if got, want := len(image.Manifest.Layers), len(image.Config.RootFS.DiffIDs); got != want {
		t.Fatalf("%d layers and %d diff ids", got, want)
	}
	for i, layer := range image.Manifest.Layers {
		blob := Read(t, filepath.Join(dir, layer.Digest.Hex))
		checkBlob(t, "layer", blob, layer)
		plain := Uncompress(t, blob)
		if got := hashOf(t, plain); got != image.Config.RootFS.DiffIDs[i] {
			t.Errorf("layer %d has diff id %s, the configuration says %s", i, got, image.Config.RootFS.DiffIDs[i])
		}
		image.Layers = append(image.Layers, Entries(t, plain))
	}
	return image
}

// InspectedDigest returns the digest of a reference as "skopeo inspect" tells it.
func InspectedDigest(t *testing.T, ref string) string {
	t.Helper()
	out := Skopeo(t, "inspect", "--tls-verify=false", "--format={{.Digest}}", "docker://"+ref)
	return strings.TrimSpace(string(out))
}

func checkBlob(t *testing.T, what string, blob []byte, want v1.Descriptor) {
	t.Helper()
	if got := hashOf(t, blob); got != want.Digest || int64(len(blob)) != want.Size {
		t.Errorf("%s: %s of %d bytes, the manifest says %s of %d bytes", what, got, len(blob), want.Digest, want.Size)
	}
}

func hashOf(t *testing.T, data []byte) v1.Hash {
	t.Helper()
	hash, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}
