package dockersave

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func v1ID(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, " "))))
}

func TestLegacy(t *testing.T) {
	for _, compression := range []string{"gzip", "zstd", "none"} {
		t.Run(compression, func(t *testing.T) {
			bottom, top := makeLayer(t, "bottom", compression), makeLayer(t, "top", compression)
			i := makeImage(t, "127.0.0.2:5000/a/b:v1", `[{"created_by":"<b>","author":"B","comment":"c"},{"created_by":"e","empty_layer":true},{"created_by":"t"}]`, bottom, top)
			names, contents := list(t, bytesOf(t, archiveOf(t, "legacy", i)))
			id := hexID(t, i)
			raw := contents[id+".json"]
			low := v1ID(bottom.meta.Digest[7:], "")
			high := v1ID(top.meta.Digest[7:], low, raw)
			want := []string{
				id + ".json", low + "/layer.tar", low + "/json", low + "/VERSION",
				high + "/layer.tar", high + "/json", high + "/VERSION", "manifest.json", "repositories",
			}
			if !slices.Equal(names, want) {
				t.Fatalf("names:\n got %q\nwant %q", names, want)
			}
			for name, want := range map[string]string{
				low + "/layer.tar":  string(bottom.plain),
				high + "/layer.tar": string(top.plain),
				low + "/VERSION":    "1.0",
				"manifest.json":     `[{"Config":"` + id + `.json","RepoTags":["127.0.0.2:5000/a/b:v1"],"Layers":["` + low + `/layer.tar","` + high + `/layer.tar"]}]`,
				"repositories":      `{"127.0.0.2:5000/a/b":{"v1":"` + high + `"}}`,
				low + "/json": `{"architecture":"","author":"B","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"","diff_ids":null},` +
					`"config":{},"container_config":{"Cmd":["<b>"]},"id":"` + low + `","comment":"c"}`,
				high + "/json": `{"architecture":"amd64","created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"type":"","diff_ids":null},` +
					`"config":{"Cmd":["/x"]},"container_config":{"Cmd":["t"]},"id":"` + high + `","parent":"` + low + `"}`,
			} {
				if contents[name] != want {
					t.Errorf("%s:\n got %q\nwant %q", name, contents[name], want)
				}
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	layers := []testLayer{makeLayer(t, "a", "gzip"), makeLayer(t, "b", "zstd"), makeLayer(t, "c", "none")}
	i := makeImage(t, "a/b:v1", `[]`, layers...)
	names, contents := list(t, bytesOf(t, archiveOf(t, "compressed", i)))
	id := "sha256:" + hexID(t, i)
	want := []string{id}
	for n, extension := range []string{".tar.gz", ".tar.zst", ".tar"} {
		name := layers[n].meta.Digest[7:] + extension
		want = append(want, name)
		if got := digest(t, []byte(contents[name])); got != layers[n].meta.Digest {
			t.Errorf("%s has digest %s", name, got)
		}
	}
	manifest := `[{"Config":"` + id + `","RepoTags":["a/b:v1"],"Layers":["` + strings.Join(want[1:], `","`) + `"]}]`
	want = append(want, "manifest.json")
	if !slices.Equal(names, want) {
		t.Errorf("names:\n got %q\nwant %q", names, want)
	}
	if contents["manifest.json"] != manifest {
		t.Errorf("manifest.json:\n got %s\nwant %s", contents["manifest.json"], manifest)
	}
}

// Three tags of two images with a common layer: nothing is written twice, whatever
// the order in which they are given.
func TestSharing(t *testing.T) {
	for _, format := range []string{"legacy", "compressed"} {
		t.Run(format, func(t *testing.T) {
			common, own := makeLayer(t, "common", "gzip"), makeLayer(t, "own", "gzip")
			small, large := makeImage(t, "p:small", `[]`, common), makeImage(t, "p:large", `[]`, common, own)
			alias := large
			alias.Tag = "q/large"
			data := bytesOf(t, archiveOf(t, format, large, small, alias))
			if !bytes.Equal(data, bytesOf(t, archiveOf(t, format, large, small, alias))) {
				t.Error("two archives of the same differ")
			}
			names, contents := list(t, data)
			if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
				t.Errorf("names come twice: %q", names)
			}
			content := map[string]bool{}
			for name, text := range contents {
				if strings.Contains(name, "tar") && content[text] {
					t.Errorf("%s is there under another name too", name)
				}
				content[text] = true
			}
			path := filepath.Join(t.TempDir(), "a.tar")
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			m, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
			if err != nil {
				t.Fatal(err)
			}
			tags := []string{}
			for _, d := range m {
				tags = append(tags, d.RepoTags...)
			}
			want := []string{"p:large", "q/large", "p:small"}
			if hexID(t, small) < hexID(t, large) {
				want = []string{"p:small", "p:large", "q/large"}
			}
			if !slices.Equal(tags, want) {
				t.Errorf("tags %q, want %q", tags, want)
			}
			for _, tag := range []string{"p:large", "p:small"} {
				ref, err := name.NewTag(tag)
				if err != nil {
					t.Fatal(err)
				}
				img, err := tarball.ImageFromPath(path, &ref)
				if err != nil {
					t.Fatal(err)
				}
				checkLayers(t, img)
			}
		})
	}
}

// checkLayers reads all layers and compares them with the configuration.
func checkLayers(t *testing.T, img v1.Image) {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for n, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := v1.SHA256(r)
		r.Close()
		if err != nil || got != config.RootFS.DiffIDs[n] {
			t.Errorf("layer %d unpacks to %s (%v), want %s", n, got, err, config.RootFS.DiffIDs[n])
		}
	}
}

// The same layer twice in an image, and tags without a name.
func TestOddities(t *testing.T) {
	l := makeLayer(t, "l", "gzip")
	i := makeImage(t, "127.0.0.2:5000/r", `[]`, l, l)
	_, contents := list(t, bytesOf(t, archiveOf(t, "legacy", i)))
	low := v1ID(l.meta.Digest[7:], "")
	high := v1ID(l.meta.Digest[7:], low, contents[hexID(t, i)+".json"])
	if want := `"Layers":["` + low + `/layer.tar","` + low + `/layer.tar"]`; !strings.Contains(contents["manifest.json"], want) {
		t.Errorf("manifest.json %s, want %s", contents["manifest.json"], want)
	}
	if want := `{"127.0.0.2:5000/r":{"":"` + high + `"}}`; contents["repositories"] != want {
		t.Errorf("repositories %s, want %s", contents["repositories"], want)
	}
	_, contents = list(t, bytesOf(t, archiveOf(t, "legacy", makeImage(t, "r:empty", `[]`))))
	if contents["repositories"] != "{}" || !strings.Contains(contents["manifest.json"], `"Layers":[]`) {
		t.Errorf("without layers: %q", contents)
	}
}

// A base that tells nothing, or less than it has layers, could not be written.
func TestShortHistory(t *testing.T) {
	layers := []testLayer{makeLayer(t, "a", "gzip"), makeLayer(t, "b", "gzip"), makeLayer(t, "c", "gzip")}
	for history, want := range map[string][]string{
		`null`:                 {"", "", ""},
		`[{"created_by":"1"}]`: {"", "", "1"},
		`[{"created_by":"1"},{"created_by":"2"},{"created_by":"3"},{"created_by":"4"}]`: {"2", "3", "4"},
	} {
		t.Run(history, func(t *testing.T) {
			i, err := readImage(makeImage(t, "a:b", history, layers...))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, h := range layerHistory(i) {
				got = append(got, h.CreatedBy)
			}
			if !slices.Equal(got, want) {
				t.Errorf("history %q, want %q", got, want)
			}
			bytesOf(t, archiveOf(t, "legacy", makeImage(t, "a:b", history, layers...)))
		})
	}
}

func TestForeignLayer(t *testing.T) {
	l := makeLayer(t, "l", "gzip")
	l.meta.MediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
	l.meta.URLs = []string{"https://x.test/?a&b"}
	l.describe(t)
	i := makeImage(t, "a:b", `[]`, l)
	_, contents := list(t, bytesOf(t, archiveOf(t, "legacy", i)))
	want := fmt.Sprintf(`"LayerSources":{%q:{"mediaType":%q,"size":%d,"digest":%q,"urls":["https://x.test/?a&b"]}}`,
		l.meta.DiffID, l.meta.MediaType, l.meta.Size, l.meta.Digest)
	if !strings.Contains(contents["manifest.json"], want) {
		t.Errorf("manifest.json %s, want %s", contents["manifest.json"], want)
	}
}

func TestStamping(t *testing.T) {
	status := write(t, "status", []byte("STABLE_TAG v7\n"))
	l := makeLayer(t, "l", "gzip")
	archive := archiveOf(t, "legacy", makeImage(t, "a/{STABLE_TAG}:{STABLE_TAG}", `[]`, l))
	a, err := Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	if tag := a.Images()[0].Tag; tag != "a/{STABLE_TAG}:{STABLE_TAG}" {
		t.Errorf("unstamped tag %q", tag)
	}
	archive.StampFiles = []string{status}
	if a, err = Open(archive); err != nil {
		t.Fatal(err)
	}
	id, err := v1.NewHash("sha256:" + hexID(t, archive.Images[0]))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Images(); len(got) != 1 || got[0] != (Image{ID: id, Tag: "a/v7:v7"}) {
		t.Errorf("images %v", got)
	}
	archive.Images[0].Tag = "a:{STABLE_NONE}"
	if _, err := Open(archive); err == nil || !strings.Contains(err.Error(), "STABLE_NONE") {
		t.Errorf("err = %v, want one that names STABLE_NONE", err)
	}
}

func TestDamagedLayers(t *testing.T) {
	for _, c := range []struct {
		name, format string
		damage       func(*testLayer)
		is           error
	}{
		{"longer than it says", "legacy", func(l *testLayer) { l.meta.UncompressedSize-- }, ErrDamaged},
		{"shorter than it says", "legacy", func(l *testLayer) { l.meta.UncompressedSize++ }, ErrDamaged},
		{"another plain layer", "legacy", func(l *testLayer) { l.meta.DiffID = "sha256:" + strings.Repeat("0", 64) }, ErrDamaged},
		{"a longer blob", "compressed", func(l *testLayer) { l.meta.Size-- }, ErrDamaged},
		{"a shorter blob", "compressed", func(l *testLayer) { l.meta.Size++ }, ErrDamaged},
		{"another blob", "compressed", func(l *testLayer) { l.meta.Digest = "sha256:" + strings.Repeat("0", 64) }, ErrDamaged},
		{"absent", "legacy", func(l *testLayer) { l.blob += ".absent" }, os.ErrNotExist},
		{"absent blob", "compressed", func(l *testLayer) { l.blob += ".absent" }, os.ErrNotExist},
		{"cut short", "legacy", func(l *testLayer) { l.blob = write(t, "cut", []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}) }, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := makeLayer(t, "l", "gzip")
			c.damage(&l)
			l.describe(t)
			dir := t.TempDir()
			err := WriteFile(t.Context(), filepath.Join(dir, "out.tar"), archiveOf(t, c.format, makeImage(t, "a:b", `[]`, l)))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), "//p:x") || !strings.Contains(err.Error(), l.blob) {
				t.Errorf("err = %v, want %v naming the target and the blob", err, c.is)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	l := makeLayer(t, "l", "gzip")
	for _, c := range []struct {
		name   string
		change func(*spec.Tarball)
		want   string
	}{
		{"format", func(a *spec.Tarball) { a.Format = "tar" }, `"tar": use legacy or compressed`},
		{"no configuration", func(a *spec.Tarball) { a.Images[0].Config = "absent.json" }, "absent.json"},
		{"a wrong configuration", func(a *spec.Tarball) { a.Images[0].Config = a.Images[0].Layers[0] }, "not the configuration"},
		{"fewer metadata than layers", func(a *spec.Tarball) { a.Images[0].Metadata = nil }, "1 layers and 0 metadata"},
		{"no layers", func(a *spec.Tarball) { a.Images[0].Metadata, a.Images[0].Layers = nil, nil }, "lists 1 layers"},
		{"no blob", func(a *spec.Tarball) { a.Images[0].Layers = []string{""} }, "is not at hand"},
		{"another layer", func(a *spec.Tarball) {
			a.Images[0].Metadata = []string{makeLayer(t, "other", "gzip").metadata}
		}, "layer 1 of"},
		{"one tag for two images", func(a *spec.Tarball) { a.Images = append(a.Images, makeImage(t, "a:b", `[]`)) }, `"a:b" is given to two`},
		{"no status file", func(a *spec.Tarball) { a.StampFiles = []string{"absent.txt"} }, "absent.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := archiveOf(t, "legacy", makeImage(t, "a:b", `[]`, l))
			c.change(&a)
			err := Write(t.Context(), io.Discard, a)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "//p:x") {
				t.Errorf("err = %v, want one with //p:x and %q", err, c.want)
			}
		})
	}
}

func TestWriteFile(t *testing.T) {
	a := archiveOf(t, "legacy", makeImage(t, "a:b", `[]`, makeLayer(t, "l", "gzip")))
	path := filepath.Join(t.TempDir(), "out.tar")
	if err := WriteFile(t.Context(), path, a); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, bytesOf(t, a)) {
		t.Errorf("the file differs from what Write writes (%v)", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := WriteFile(ctx, path+"2", a); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want context.Canceled", err)
	}
	if err := WriteFile(t.Context(), filepath.Join(path, "x"), a); err == nil {
		t.Error("wrote into a file as if it were a folder")
	}
}
