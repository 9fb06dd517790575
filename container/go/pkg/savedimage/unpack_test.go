package savedimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/ulikunitz/xz"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// file is a member: a link if it has a target.
type file struct {
	name, target string
	data         []byte
}

func pack(t *testing.T, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))}
		if f.target != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.target
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zip(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(data)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func digest(t *testing.T, data []byte) string {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func configOf(t *testing.T, layers ...[]byte) []byte {
	t.Helper()
	ids := []string{}
	for _, l := range layers {
		ids = append(ids, digest(t, l))
	}
	data, err := json.Marshal(map[string]any{"architecture": "arm64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": ids}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unpack writes the archive and unpacks it.
func unpack(t *testing.T, data []byte) (dir, config string, err error) {
	t.Helper()
	root := t.TempDir()
	in := filepath.Join(root, "saved.tar")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, config = filepath.Join(root, "layers"), filepath.Join(root, "config.json")
	return dir, config, Unpack(context.Background(), in, dir, config)
}

func TestUnpack(t *testing.T) {
	low, high := pack(t, file{name: "low", data: []byte("1")}), pack(t, file{name: "high", data: []byte("2")})
	config := configOf(t, low, high, low)
	manifest := func(layers string) file {
		return file{name: "manifest.json", data: []byte(`[{"Config":"c.json","RepoTags":["a:b"],"Layers":[` + layers + `]}]`)}
	}
	three := manifest(`"l/layer.tar","h/layer.tar","again/layer.tar"`)
	files := []file{
		{name: "l/layer.tar", data: low}, {name: "h/layer.tar", data: zip(t, high)},
		{name: "again/layer.tar", target: "../l/layer.tar"}, {name: "c.json", data: config}, three,
	}
	plain := pack(t, files...)
	var xzed bytes.Buffer
	x, err := xz.NewWriter(&xzed)
	if err != nil {
		t.Fatal(err)
	}
	x.Write(plain)
	x.Close()
	reversed := pack(t, files[4], files[3], files[2], files[1], files[0])

	var first spec.ArchiveIndex
	for name, data := range map[string][]byte{"plain": plain, "gzip": zip(t, plain), "xz": xzed.Bytes(), "another order": reversed} {
		t.Run(name, func(t *testing.T) {
			dir, configPath, err := unpack(t, data)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(configPath); err != nil || !bytes.Equal(got, config) {
				t.Errorf("configuration %q (%v)", got, err)
			}
			index, err := spec.ReadArchive(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(index.Layers) != 3 {
				t.Fatalf("%d layers, want 3", len(index.Layers))
			}
			for n, plain := range [][]byte{low, high, low} {
				l := index.Layers[n]
				blob, err := os.ReadFile(l.Blob)
				if err != nil {
					t.Fatal(err)
				}
				if l.Metadata.DiffID != digest(t, plain) || l.Metadata.Digest != digest(t, blob) ||
					l.Metadata.Size != int64(len(blob)) || l.Metadata.UncompressedSize != int64(len(plain)) {
					t.Errorf("layer %d: %+v", n, l)
				}
				if !bytes.HasPrefix(blob, []byte{0x1f, 0x8b}) {
					t.Errorf("layer %d is not gzip", n)
				}
			}
			if got, want := index.Layers[1].Metadata.Digest, digest(t, zip(t, high)); got != want {
				t.Errorf("the gzip layer became %s, was %s", got, want)
			}
			if index.Layers[0].Blob != index.Layers[2].Blob {
				t.Error("a layer that is there once is written twice")
			}
			for n := range index.Layers {
				index.Layers[n].Blob = filepath.Base(index.Layers[n].Blob)
			}
			if first.Layers == nil {
				first = index
			}
			for n, l := range index.Layers {
				if l.Blob != first.Layers[n].Blob || l.Metadata.Digest != first.Layers[n].Metadata.Digest {
					t.Errorf("layer %d is %+v, in another form of the archive %+v", n, l, first.Layers[n])
				}
			}
		})
	}
}

func TestUnpackErrors(t *testing.T) {
	low := pack(t, file{name: "low", data: []byte("1")})
	config := file{name: "c.json", data: configOf(t, low)}
	blob := file{name: "l.tar", data: low}
	manifest := func(text string) file { return file{name: "manifest.json", data: []byte(text)} }
	one := manifest(`[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l.tar"]}]`)
	for _, c := range []struct {
		name  string
		files []file
		kind  error
		want  string
	}{
		{"no manifest", []file{blob}, ErrNotSaved, "manifest.json"},
		{"an OCI archive", []file{{name: "oci-layout", data: []byte("{}")}}, ErrNotSaved, "skopeo copy"},
		{"no JSON", []file{manifest("x")}, ErrNotSaved, "manifest.json"},
		{"no image", []file{manifest("[]")}, ErrNotSaved, "lists no image"},
		{"two images", []file{manifest(`[{"Config":"c","RepoTags":["a:b"]},{"Config":"d","RepoTags":["c:d"]}]`)}, ErrNotSaved, `["a:b" "c:d"]`},
		{"no configuration", []file{one, blob}, ErrDamaged, `"c.json"`},
		{"no layer", []file{one, config}, ErrDamaged, `"l.tar"`},
		{"a configuration outside", []file{manifest(`[{"Config":"../../etc/passwd"}]`)}, archive.ErrEscapes, "../../etc/passwd"},
		{"a layer outside", []file{manifest(`[{"Config":"c.json","Layers":["l/../../l.tar"]}]`), config, blob}, archive.ErrEscapes, "l/../../l.tar"},
		{"a layer of this machine", []file{manifest(`[{"Config":"c.json","Layers":["/etc/passwd"]}]`), config}, ErrDamaged, "/etc/passwd"},
		{"a link out of it", []file{one, config, {name: "l.tar", target: "../../etc/passwd"}}, ErrDamaged, "../../etc/passwd"},
		{"a link to this machine", []file{one, config, {name: "l.tar", target: "/etc/passwd"}}, ErrDamaged, "etc/passwd"},
		{"a member outside", []file{one, config, blob, {name: "../x"}}, archive.ErrEscapes, "../x"},
		{"a name without end", []file{one, config, blob, {name: strings.Repeat("a/", 3000)}}, nil, "no system takes"},
		{"a dangling link", []file{one, config, {name: "l.tar", target: "x"}}, ErrDamaged, `"l.tar" is a link to "x"`},
		{"a loop", []file{one, config, {name: "l.tar", target: "l.tar"}}, ErrDamaged, "leads nowhere"},
		{"another layer", []file{one, config, {name: "l.tar", data: pack(t)}}, ErrDamaged, "unpacks to"},
		{"a layer too much", []file{one, {name: "c.json", data: configOf(t)}, blob}, ErrDamaged, "lists 0 layers"},
		{"configuration is no JSON", []file{one, {name: "c.json", data: []byte("x")}, blob}, nil, "not the configuration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, configPath, err := unpack(t, pack(t, c.files...))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "saved.tar") {
				t.Errorf("got %v, want %q in it, and the archive", err, c.want)
			}
			if c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("got %v, want a %v", err, c.kind)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if _, err := os.Stat(configPath); !errors.Is(err, os.ErrNotExist) {
				t.Error("a configuration is left behind")
			}
		})
	}
}

// A foreign layer stays one as long as its blob does.
func TestUnpackForeign(t *testing.T) {
	plain := pack(t, file{name: "Files/a", data: []byte("1")})
	blob := zip(t, plain)
	source := func(of string) []byte {
		return fmt.Appendf(nil, `[{"Config":"c.json","Layers":["l"],"LayerSources":{%q:{"mediaType":%q,"size":%d,"digest":%q,"urls":["https://example.com/l"]}}}]`,
			digest(t, plain), "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", len(blob), of)
	}
	for _, c := range []struct {
		name          string
		layer, digest []byte
		urls          int
	}{
		{"the blob", blob, blob, 1}, {"made plain", plain, blob, 0}, {"of another blob", blob, plain, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _, err := unpack(t, pack(t, file{name: "l", data: c.layer}, file{name: "c.json", data: configOf(t, plain)},
				file{name: "manifest.json", data: source(digest(t, c.digest))}))
			if err != nil {
				t.Fatal(err)
			}
			index, err := spec.ReadArchive(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := index.Layers[0].Metadata.URLs; len(got) != c.urls {
				t.Errorf("URLs %q, want %d", got, c.urls)
			}
		})
	}
}
