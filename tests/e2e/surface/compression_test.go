package surface

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// Layers of every compression are what their media types say, to skopeo and to podman.
func (s *suite) testCompression(t *testing.T) {
	s.bazel.Must(t, "run", "//compression:push")
	image := harness.Pull(t, s.ref("team/compressed:v1"))
	var got []types.MediaType
	for n, layer := range image.Manifest.Layers {
		got = append(got, layer.MediaType)
		last := image.Layers[n][len(image.Layers[n])-1]
		if want := []string{"zstd/a.txt", "none/a.txt", "gzip/a.txt", "own/a.txt"}[n]; last.Name != want || last.Content != "a\n" {
			t.Errorf("layer %d ends with %s, want %s", n, last, want)
		}
	}
	if want := []types.MediaType{types.OCILayerZStd, types.OCIUncompressedLayer, types.OCILayer, types.OCILayerZStd}; !slices.Equal(got, want) {
		t.Errorf("media types %q, want %q", got, want)
	}
	storage := harness.TempDir(t)
	podman := func(args ...string) string {
		t.Helper()
		args = append([]string{"--root=" + storage + "/root", "--runroot=" + storage + "/run", "--storage-driver=vfs"}, args...)
		r := harness.Run(t, storage, os.Environ(), "podman", args...)
		if r.Code != 0 {
			t.Fatal(r)
		}
		return strings.TrimSpace(r.Stdout)
	}
	podman("pull", "--tls-verify=false", s.ref("team/compressed:v1"))
	s.haveLayers(t, image, podman("image", "inspect", "--format={{json .RootFS.Layers}}", s.ref("team/compressed:v1")))

	// The archive that has blobs as they are, and the one of plain layers.
	for _, name := range []string{"image", "legacy"} {
		s.bazel.Must(t, "build", "//compression:"+name+".tar")
		archive := s.bazel.Bin("compression/" + name + ".tar")
		podman("load", "--input="+archive)
		s.haveLayers(t, image, podman("image", "inspect", "--format={{json .RootFS.Layers}}", "localhost/bazel/compression:"+name))
	}

	// Docker's format has no zstd.
	for _, target := range []string{"//compression:push-docker", "//compression:push-all-docker"} {
		r := s.bazel.Run(t, "build", target)
		if r.Code == 0 || !strings.Contains(r.Output(), `push it with format = "OCI"`) || !strings.Contains(r.Output(), target) {
			t.Errorf("no advice in %s", r)
		}
	}
	if _, err := os.Stat(s.bazel.Bin("compression/push-docker.digest")); err == nil {
		t.Error("there is a digest of what cannot be pushed")
	}
	s.bazel.Must(t, "run", "//compression:push-plain")
	if plain := harness.Pull(t, s.ref("team/plain:v1")); plain.Manifest.Layers[0].MediaType != types.DockerUncompressedLayer {
		t.Errorf("the plain layer is %s", plain.Manifest.Layers[0].MediaType)
	}
	for _, name := range []string{"zstd-layer.tar.zst", "none-layer.tar", "gzip-layer.tar.gz"} {
		if _, err := os.Stat(s.bazel.Bin(filepath.Join("compression", name))); err != nil {
			t.Error(err)
		}
	}
}

// haveLayers compares the layers that podman lists, as JSON, with an image's.
func (s *suite) haveLayers(t *testing.T, image *harness.Image, list string) {
	t.Helper()
	var layers []v1.Hash
	if err := json.Unmarshal([]byte(list), &layers); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(layers, image.Config.RootFS.DiffIDs) {
		t.Errorf("podman has the layers %v, want %v", layers, image.Config.RootFS.DiffIDs)
	}
}
