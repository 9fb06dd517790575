package image

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// hex64 is a digest that is easy to tell from others.
func hex64(c string) string { return "sha256:" + strings.Repeat(c, 64) }

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// newLayer is a gzip layer whose diff id and digest are told by one letter each.
func newLayer(t *testing.T, diffID, digest string, change ...func(*spec.LayerMetadata)) spec.ImageLayer {
	t.Helper()
	m := spec.LayerMetadata{
		Version: spec.Version, MediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
		Digest: hex64(digest), Size: 100, DiffID: hex64(diffID), UncompressedSize: 10240,
	}
	for _, f := range change {
		f(&m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return spec.ImageLayer{Metadata: file(t, "layer.json", string(data))}
}

// onBase is an image of two layers, the upper one new, on a base whose document is
// around its one diff id "a". DIFFS in text stands for that.
func onBase(t *testing.T, text string) spec.Image {
	t.Helper()
	text = strings.ReplaceAll(text, "DIFFS", fmt.Sprintf("[%q]", hex64("a")))
	return spec.Image{
		Version: spec.Version, Target: "//p:x", BaseConfig: file(t, "base.json", text),
		Layers:    []spec.ImageLayer{newLayer(t, "a", "1"), newLayer(t, "b", "2")},
		NewLayers: 1,
	}
}

// scratch is an image of one layer.
func scratch(t *testing.T) spec.Image {
	t.Helper()
	return spec.Image{
		Version: spec.Version, Target: "//p:x",
		Layers: []spec.ImageLayer{newLayer(t, "a", "1")}, NewLayers: 1,
	}
}

func build(t *testing.T, i spec.Image) *Result {
	t.Helper()
	r, err := Build(i)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inner is the config of the configuration that is built.
func inner(t *testing.T, i spec.Image) string {
	t.Helper()
	return string(member(t, build(t, i).Config, "config"))
}

func member(t *testing.T, document []byte, key string) json.RawMessage {
	t.Helper()
	var o map[string]json.RawMessage
	if err := json.Unmarshal(document, &o); err != nil {
		t.Fatal(err)
	}
	return o[key]
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}
