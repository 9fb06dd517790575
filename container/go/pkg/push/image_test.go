package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func TestSources(t *testing.T) {
	f := build(t)
	img, err := random.Image(256, 2)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(f.dir, "image.tar")
	if err := tarball.WriteToFile(archive, name.MustParseReference("a/b:c").(name.Tag), img); err != nil {
		t.Fatal(err)
	}
	sources := map[string]func(Format) (*Image, error){
		"plan": func(format Format) (*Image, error) {
			p := f.plan
			p.Format = string(format)
			return FromPlan(p, asIs)
		},
		"plan with an unpacked archive": func(format Format) (*Image, error) {
			p := f.plan
			p.Format = string(format)
			p.Archive = unpacked(t, f.plan.Layers[0])
			p.Layers = f.plan.Layers[1:]
			return FromPlan(p, asIs)
		},
		"tarball": func(format Format) (*Image, error) { return FromTarball(archive, format) },
		"parts": func(format Format) (*Image, error) {
			return FromParts(Parts{Config: f.plan.Config, Layers: f.layers}, format)
		},
	}
	digests := map[string]v1.Hash{}
	for source, from := range sources {
		for _, format := range []Format{Docker, OCI} {
			t.Run(source+" "+string(format), func(t *testing.T) {
				s := newServer(t)
				image, err := from(format)
				if err != nil {
					t.Fatal(err)
				}
				digests[source+string(format)] = image.Digest
				if r := one(t, s, Job{Image: image, Ref: s.ref(t, "team/app:v1")}); r.Err != nil || r.Skipped {
					t.Fatalf("got %+v", r)
				}
				got, err := remote.Image(s.ref(t, "team/app:v1"))
				if err != nil {
					t.Fatal(err)
				}
				m, err := got.Manifest()
				if err != nil {
					t.Fatal(err)
				}
				want := [3]types.MediaType{types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer}
				if format == OCI {
					want = [3]types.MediaType{types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer}
				}
				if have := [3]types.MediaType{m.MediaType, m.Config.MediaType, m.Layers[1].MediaType}; have != want {
					t.Errorf("media types %v, want %v", have, want)
				}
				for i, layer := range m.Layers {
					l, err := got.LayerByDigest(layer.Digest)
					if err != nil {
						t.Fatal(err)
					}
					id, err := l.DiffID()
					if err != nil {
						t.Fatal(err)
					}
					if source == "parts" && id != f.diffs[i] {
						t.Errorf("layer %d has diff id %s", i, id)
					}
				}
			})
		}
	}
	if digests["planDocker"] != digests["partsDocker"] || digests["planOCI"] != digests["partsOCI"] {
		t.Error("the parts of an image make another manifest than the rules wrote")
	}
	if data, err := os.ReadFile(f.plan.Manifest); err != nil || sum(t, data) != digests["planDocker"] {
		t.Error("the manifest that was pushed is not the file")
	}
}

// unpacked makes the directory of an unpacked archive, with that one layer.
func unpacked(t *testing.T, layer string) string {
	t.Helper()
	data, err := os.ReadFile(layer)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	save(t, filepath.Join(dir, "000.tar.gz"), data)
	index, err := json.Marshal(spec.ArchiveIndex{Version: spec.Version, Layers: []spec.ArchiveLayer{{Blob: "000.tar.gz"}}})
	if err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(dir, spec.ArchiveIndexName), index)
	return dir
}

func TestFromPlanErrors(t *testing.T) {
	cases := []struct {
		name   string
		change func(t *testing.T, f *files)
		want   string
	}{
		{"format", func(_ *testing.T, f *files) { f.plan.Format = "docker" }, `"docker"`},
		{"no manifest", func(_ *testing.T, f *files) { f.plan.Manifest = f.dir + "/gone" }, "gone"},
		{"manifest is no JSON", func(t *testing.T, f *files) { save(t, f.plan.Manifest, []byte("x")) }, "manifest.json"},
		{"layer missing in the plan", func(_ *testing.T, f *files) { f.plan.Layers = f.plan.Layers[1:] }, "2 layers, the plan 1"},
		{"no file for a layer", func(_ *testing.T, f *files) { f.plan.Layers[0] = "" }, "there is no file for it"},
		{"layer gone", func(t *testing.T, f *files) { _ = os.Remove(f.plan.Layers[1]) }, "layer1.tar.gz"},
		{"layer of another size", func(t *testing.T, f *files) { save(t, f.plan.Layers[1], []byte("x")) }, "has 1 bytes"},
		{"other configuration", func(t *testing.T, f *files) { save(t, f.plan.Config, []byte("{}")) }, "build the target again"},
		{"zstd for Docker", func(t *testing.T, f *files) {
			data, err := os.ReadFile(f.plan.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			save(t, f.plan.Manifest, bytes.ReplaceAll(data, []byte(types.DockerLayer), []byte(types.OCILayerZStd)))
		}, `format = "OCI"`},
		{"no unpacked archive", func(_ *testing.T, f *files) { f.plan.Archive = f.dir }, "index.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := build(t)
			c.change(t, &f)
			if _, err := FromPlan(f.plan, asIs); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestFromPartsErrors(t *testing.T) {
	cases := []struct {
		name   string
		change func(t *testing.T, f *files, p *Parts)
		want   string
	}{
		{"no configuration", func(_ *testing.T, _ *files, p *Parts) { p.Config += "x" }, "config.jsonx"},
		{"layer missing", func(_ *testing.T, _ *files, p *Parts) { p.Layers = p.Layers[:1] }, "in none of the files"},
		{"no digest", func(t *testing.T, _ *files, p *Parts) { save(t, p.Layers[0].Digest, []byte("abc")) }, "layer0.sha256"},
		{"no diff id file", func(_ *testing.T, _ *files, p *Parts) { p.Layers[0].DiffID = "gone" }, "gone"},
		{"zstd for Docker", func(t *testing.T, _ *files, p *Parts) {
			save(t, p.Layers[0].Compressed, []byte{0x28, 0xb5, 0x2f, 0xfd})
		}, `format = "OCI"`},
		{"base manifest", func(t *testing.T, f *files, p *Parts) { p.Manifest = f.dir }, "base's manifest"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := build(t)
			p := Parts{Config: f.plan.Config, Layers: append([]LayerFiles{}, f.layers...)}
			c.change(t, &f, &p)
			if _, err := FromParts(p, Docker); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestForeignLayer(t *testing.T) {
	f := build(t)
	data, err := os.ReadFile(f.plan.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	m.Layers[0].MediaType, m.Layers[0].URLs = types.DockerForeignLayer, []string{"https://layers.example/a"}
	f.writeManifest(t, *m)
	f.plan.Layers[0] = ""
	sources := map[string]func() (*Image, error){
		"plan": func() (*Image, error) { return FromPlan(f.plan, asIs) },
		"parts": func() (*Image, error) {
			return FromParts(Parts{Config: f.plan.Config, Layers: f.layers[1:], Manifest: f.plan.Manifest}, Docker)
		},
	}
	for source, from := range sources {
		t.Run(source, func(t *testing.T) {
			image, err := from()
			if err != nil {
				t.Fatal(err)
			}
			// The fake registry wants all blobs, as few others do; so it is not asked for the manifest.
			s := newServer(t)
			put := false
			s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/manifests/") {
					return false
				}
				switch {
				case r.Method == http.MethodPut:
					put = true
					w.WriteHeader(http.StatusCreated)
				case put:
					w.Header().Set("Docker-Content-Digest", image.Digest.String())
					w.Header().Set("Content-Type", string(image.MediaType))
					_, _ = w.Write(image.Manifest)
				default:
					w.WriteHeader(http.StatusNotFound)
				}
				return true
			}
			if r := one(t, s, Job{Image: image, Ref: s.ref(t, "win/app:v1")}); r.Err != nil {
				t.Fatal(r.Err)
			}
			if n := len(s.posts()); n != 2 { // the configuration and the other layer
				t.Errorf("%d blobs sent, want 2", n)
			}
			oci, err := image.Convert(OCI)
			if err != nil || oci.Layers[0].Descriptor.MediaType != types.OCIRestrictedLayer {
				t.Errorf("as OCI: %v", err)
			}
		})
	}
}

func TestParseLayer(t *testing.T) {
	if got, err := ParseLayer("a,b,c,d"); err != nil || got != (LayerFiles{"a", "b", "c", "d"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "a,b,c", "a,b,c,d,e"} {
		if _, err := ParseLayer(bad); !errors.Is(err, ErrLayerFlag) {
			t.Errorf("ParseLayer(%q) = %v", bad, err)
		}
	}
}
