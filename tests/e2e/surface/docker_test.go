package surface

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// A docker gets the layers that it lacks, and has whole images nevertheless.
func (s *suite) testDockerLoad(t *testing.T) {
	docker := harness.StartDocker(t)
	bazel := s.bazel.With("DOCKER="+docker.Client, "PATH="+os.Getenv("PATH"))
	for _, step := range []struct {
		name, target string
		layers       int // sent, -1 where there is nothing to load
		says         string
		images       []string
	}{
		{"an image", "//bundle:base", 1, "", []string{"bazel/bundle:base"}},
		{"two on top of it", "//bundle", 2, "docker has 1 of 3 layers; sending 2", []string{s.ref("team/app:v3"), s.ref("team/app-again:v3"), s.ref("team/tool:v3")}},
		{"the same again", "//bundle", -1, "", []string{s.ref("team/app:v3")}},
		{"other names, and a configuration of its own", "//bundle:again", 0, "docker has 2 of 2 layers; sending 0", []string{"bazel/bundle:again"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			r := bazel.MustOnHost(t, with(step.target, s.names("v3")...)...)
			if !strings.Contains(r.Stderr, step.says) {
				t.Errorf("no %q in %s", step.says, r)
			}
			if loaded := slices.ContainsFunc(docker.Calls(t), loads); loaded != (step.layers >= 0) {
				t.Errorf("loaded is %v: %s", loaded, r)
			}
			if step.layers >= 0 {
				if got := sentLayers(t, docker.Loaded(t)); got != step.layers {
					t.Errorf("%d layers were sent, want %d", got, step.layers)
				}
			}
			for _, image := range step.images {
				saved := filepath.Join(harness.TempDir(t), "saved.tar")
				if r := harness.Run(t, s.root, os.Environ(), docker.Client, "save", "--output="+saved, image); r.Code != 0 {
					t.Error(r)
					continue
				}
				if err := wholeImage(saved); err != nil {
					t.Errorf("%s is not whole: %v", image, err)
				}
			}
			docker.Calls(t)
		})
	}
}

// sentLayers counts the layers that are in an archive.
func sentLayers(t *testing.T, archive []byte) int {
	t.Helper()
	n := 0
	for _, e := range harness.Entries(t, archive) {
		if strings.HasSuffix(e.Name, "/layer.tar") {
			n++
		}
	}
	return n
}

// wholeImage compares the layers in an archive with its configuration.
func wholeImage(archive string) error {
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for n, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		id, _, err := v1.SHA256(content)
		if err := errors.Join(err, content.Close()); err != nil {
			return err
		}
		if want := config.RootFS.DiffIDs[n]; id != want {
			return fmt.Errorf("layer %d is %s instead of %s", n, id, want)
		}
	}
	return nil
}
