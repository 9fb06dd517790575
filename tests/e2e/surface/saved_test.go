package surface

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// lower and upper are the layers of the saved image; the upper hides a file.
func lower(t *testing.T) []byte {
	return harness.Tar(t,
		harness.Member{Header: tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755}},
		harness.Member{Header: tar.Header{Name: "etc/keep", Mode: 0o600}, Content: "keep\n"},
		harness.Member{Header: tar.Header{Name: "etc/gone", Mode: 0o600}, Content: "gone\n"},
	)
}

func upper(t *testing.T) []byte {
	return harness.Tar(t, harness.Member{Header: tar.Header{Name: "etc/.wh.gone", Mode: 0o600}})
}

func digestOf(t *testing.T, data []byte) v1.Hash {
	t.Helper()
	digest, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func savedConfig(t *testing.T) []byte {
	return fmt.Appendf(nil, `{"architecture":"arm64","os":"linux","config":{"Env":["A=1"],"Cmd":["/saved"]},`+
		`"rootfs":{"type":"layers","diff_ids":[%q,%q]}}`, digestOf(t, lower(t)), digestOf(t, upper(t)))
}

// writeSaved writes an image as docker save would, its upper layer compressed.
func writeSaved(t *testing.T, dir string) {
	t.Helper()
	archive := harness.Tar(t,
		harness.Member{Header: tar.Header{Name: "1/layer.tar", Mode: 0o644}, Content: string(lower(t))},
		harness.Member{Header: tar.Header{Name: "2/layer.tar", Mode: 0o644}, Content: string(harness.Gzip(t, upper(t)))},
		harness.Member{Header: tar.Header{Name: "config.json", Mode: 0o644}, Content: string(savedConfig(t))},
		harness.Member{Header: tar.Header{Name: "manifest.json", Mode: 0o644},
			Content: `[{"Config":"config.json","RepoTags":["saved:1"],"Layers":["1/layer.tar","2/layer.tar"]}]`},
	)
	harness.Write(t, dir, "saved.tar", archive, 0o644)
	harness.Write(t, dir, "saved.tar.gz", harness.Gzip(t, archive), 0o644)
	harness.Write(t, dir, "not-saved.tar", lower(t), 0o644)
}

func (s *suite) testSaved(t *testing.T) {
	for _, c := range []struct {
		target, repository string
		layers             int
	}{
		{"push-saved.tar", "saved.tar", 2},
		{"push-saved-oci", "oci", 2},
		{"push-on-saved.tar", "on-saved.tar", 3},
		{"push-on-saved.tar.gz", "on-saved.tar.gz", 3},
		{"push-further", "further", 4},
	} {
		t.Run(c.target, func(t *testing.T) {
			s.bazel.Must(t, "run", "//saved:"+c.target)
			image := harness.Pull(t, s.ref("saved/"+c.repository+":1"))
			if got := string(harness.Read(t, s.bazel.Bin("saved/"+c.target+".digest"))); got != image.Digest.String() {
				t.Errorf("%s.digest is %s, the registry has %s", c.target, got, image.Digest)
			}
			if len(image.Layers) != c.layers {
				t.Errorf("%d layers, want %d", len(image.Layers), c.layers)
			}
			if got, want := image.Manifest.Layers[1].Digest, digestOf(t, harness.Gzip(t, upper(t))); got != want {
				t.Errorf("the compressed layer is %s, was %s", got, want)
			}
			if c.layers == 2 && !bytes.Equal(image.RawConfig, savedConfig(t)) {
				t.Errorf("configuration %s", image.RawConfig)
			}
			if c.layers == 3 && (!slices.Equal(image.Config.Config.Env, []string{"A=1", "B=2"}) ||
				!slices.Equal(image.Config.Config.Cmd, []string{"/saved"}) || image.Config.Architecture != "arm64") {
				t.Errorf("configuration %s", image.RawConfig)
			}
		})
	}

	s.bazel.Must(t, "build", "//saved:flat", "//saved:further.tar", "//saved:bundle.tar")
	var names []string
	for _, e := range harness.Entries(t, harness.Read(t, s.bazel.Bin("saved/flat.tar"))) {
		names = append(names, e.Name)
	}
	if want := []string{".", "etc", "link", "srv", "etc/keep", "srv/three.txt"}; !slices.Equal(names, want) {
		t.Errorf("flat.tar holds %q, want %q", names, want)
	}
	for _, name := range []string{"further.tar", "bundle.tar"} {
		var image struct{ Layers []string }
		if err := json.Unmarshal(harness.Skopeo(t, "inspect", "docker-archive:"+s.bazel.Bin("saved/"+name)), &image); err != nil {
			t.Fatal(err)
		}
		if len(image.Layers) != 4 {
			t.Errorf("%s has the layers %q", name, image.Layers)
		}
	}
}

func (s *suite) testNotSaved(t *testing.T) {
	r := s.bazel.Run(t, "build", "//saved:on-not-saved.tar.digest")
	if want := "not-saved.tar: not a docker-save archive"; r.Code == 0 || !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
}
