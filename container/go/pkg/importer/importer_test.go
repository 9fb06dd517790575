package importer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// member is a file of an archive, or a link if it names a target.
type member struct {
	name, content string
	kind          byte
	target        string
}

func archiveOf(t *testing.T, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Size: int64(len(m.content)), Mode: 0o644}
		if m.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = m.kind, m.target, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func hash(data string) string {
	sum := sha256.Sum256([]byte(data))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func zip(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	return closed(t, &buf, gzip.NewWriter(&buf), data)
}

func closed(t *testing.T, buf *bytes.Buffer, w io.WriteCloser, data []byte) []byte {
	t.Helper()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func config(diffIDs ...string) string {
	data, err := json.Marshal(map[string]any{"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs}, "unknown": 1})
	if err != nil {
		panic(err)
	}
	return string(data)
}

func manifest(config string, layers ...string) string {
	return fmt.Sprintf(`[{"Config":%q,"RepoTags":["a:v1"],"Layers":["%s"]}]`, config, strings.Join(layers, `","`))
}

func imported(t *testing.T, data []byte) (string, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "saved.tar")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "image")
	return out, Import(context.Background(), path, out)
}

func TestImport(t *testing.T) {
	lower, upper := string(archiveOf(t, member{name: "etc/a", content: "a"})), string(archiveOf(t, member{name: "etc/b", content: "b"}))
	conf := config(hash(lower), hash(upper), hash(lower))
	members := []member{
		{name: "1/layer.tar", content: lower},
		{name: "2/layer.tar", content: string(zip(t, []byte(upper)))},
		{name: "3/layer.tar", kind: tar.TypeSymlink, target: "../1/layer.tar"},
		{name: "c.json", content: conf},
		{name: "manifest.json", content: manifest("c.json", "1/layer.tar", "2/layer.tar", "3/layer.tar")},
	}
	hard := append([]member(nil), members...)
	hard[2] = member{name: "3/layer.tar", kind: tar.TypeLink, target: "1/layer.tar"}
	dotted := append([]member(nil), members...)
	for i := range dotted {
		dotted[i].name = "./" + dotted[i].name
	}
	plain := archiveOf(t, members...)
	var x, z bytes.Buffer
	xw, err := xz.NewWriter(&x)
	if err != nil {
		t.Fatal(err)
	}
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	// As archives have an image of several names that others than docker made.
	twice := append([]member(nil), members...)
	one := strings.Trim(members[4].content, "[]")
	twice[4].content = "[" + one + "," + strings.Replace(one, "a:v1", "b:v2", 1) + "]"
	for name, data := range map[string][]byte{
		"two names": archiveOf(t, twice...), "plain": plain, "gzip": zip(t, plain), "xz": closed(t, &x, xw, plain), "zstd": closed(t, &z, zw, plain),
		"hard links": archiveOf(t, hard...), "names with dots": archiveOf(t, dotted...),
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := imported(t, data)
			if err != nil {
				t.Fatal(err)
			}
			check(t, dir, conf, lower, upper, lower)
			if got, err := os.ReadFile(filepath.Join(dir, "001.tar.gz")); err != nil || !bytes.Equal(got, zip(t, []byte(upper))) {
				t.Errorf("a gzip layer does not stay as it is: %v", err)
			}
		})
	}
}

func check(t *testing.T, dir, conf string, layers ...string) {
	t.Helper()
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	raw := read("manifest.json")
	m, err := v1.ParseManifest(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if read("digest") != hash(raw) || read("config.json") != conf || m.Config.Digest.String() != hash(conf) || len(m.Layers) != len(layers) {
		t.Errorf("digest %s of manifest %s", read("digest"), raw)
	}
	for n, want := range layers {
		blob := read(fmt.Sprintf("%03d.tar.gz", n))
		if d := m.Layers[n]; d.Digest.String() != hash(blob) || d.Size != int64(len(blob)) || read(fmt.Sprintf("%03d.sha256", n)) != d.Digest.Hex {
			t.Errorf("layer %d is not as %+v says", n, d)
		}
		r, err := gzip.NewReader(strings.NewReader(blob))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("layer %d holds something else (%v)", n, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3+2*len(layers) {
		t.Errorf("there are %v, %v", entries, err)
	}
}

func TestImportForeign(t *testing.T) {
	plain := string(archiveOf(t, member{name: "Files/a", content: "a"}))
	blob := string(zip(t, []byte(plain)))
	source := fmt.Sprintf(`[{"Config":"c.json","Layers":["l.tar.gz"],"LayerSources":{%q:{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":%d,"digest":%q,"urls":["https://example.com/l"]}}}]`,
		hash(plain), len(blob), hash(blob))
	dir, err := imported(t, archiveOf(t, member{name: "l.tar.gz", content: blob},
		member{name: "c.json", content: config(hash(plain))}, member{name: "manifest.json", content: source}))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil || !strings.Contains(string(data), "foreign") || !strings.Contains(string(data), "https://example.com/l") {
		t.Errorf("%s, %v", data, err)
	}
}

func TestImportBad(t *testing.T) {
	layer := string(archiveOf(t, member{name: "a", content: "a"}))
	good := member{name: "l.tar", content: layer}
	c := member{name: "c.json", content: config(hash(layer))}
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"no tar", []byte("what is this? " + strings.Repeat("x", 1000)), "not a tar"},
		{"cut", archiveOf(t, good, c)[:700], "truncated"},
		{"damaged gzip", zip(t, archiveOf(t, good))[:50], "decompressing gzip"},
		{"no manifest", archiveOf(t, good, c), "not a docker-save archive"},
		{"manifest without sense", archiveOf(t, member{name: "manifest.json", content: "{"}), "manifest.json"},
		{"no image", archiveOf(t, member{name: "manifest.json", content: "[]"}), "lists no image"},
		{"two images", archiveOf(t, member{name: "manifest.json", content: `[{"Config":"c","RepoTags":["a:1"]},{"Config":"d","RepoTags":["b:2"]}]`}), `holds 2 images (["a:1" "b:2"])`},
		{"no configuration", archiveOf(t, good, member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"c.json", which is not in the archive`},
		{"configuration of something else", archiveOf(t, good, member{name: "c.json", content: "[]"},
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), "not the configuration"},
		{"too many layers", archiveOf(t, good, c, member{name: "manifest.json", content: manifest("c.json", "l.tar", "l.tar")}), "c.json lists 1 layers (rootfs.diff_ids), and manifest.json 2"},
		{"no layer", archiveOf(t, c, member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"l.tar", which is not in the archive`},
		{"another layer", archiveOf(t, member{name: "l.tar", content: string(archiveOf(t))}, c,
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), "c.json says"},
		{"a link out of it", archiveOf(t, member{name: "l.tar", kind: tar.TypeSymlink, target: "../../etc/passwd"}, c,
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"l.tar" is a link to "../../etc/passwd"`},
		{"a layer outside", archiveOf(t, good, c, member{name: "manifest.json", content: manifest("c.json", "../../etc/passwd")}), "../../etc/passwd"},
		{"a layer of this machine", archiveOf(t, good, c, member{name: "manifest.json", content: manifest("c.json", "/etc/passwd")}), "/etc/passwd"},
		{"a configuration outside", archiveOf(t, good, member{name: "manifest.json", content: manifest("../../etc/passwd", "l.tar")}), "../../etc/passwd"},
		{"a device", archiveOf(t, member{name: "l.tar", kind: tar.TypeChar}, c,
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"l.tar" is not a file`},
		{"a link in place of an earlier file", archiveOf(t, good, member{name: "l.tar", kind: tar.TypeSymlink, target: "/etc/passwd"}, c,
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"l.tar" is a link to "etc/passwd"`},
		{"a link to itself", archiveOf(t, member{name: "l.tar", kind: tar.TypeSymlink, target: "l.tar"}, c,
			member{name: "manifest.json", content: manifest("c.json", "l.tar")}), `"l.tar" is a link that leads nowhere`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, err := imported(t, tc.data)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "saved.tar") {
				t.Errorf("got %v, want %q and the archive's name", err, tc.want)
			}
			if entries, err := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestRun(t *testing.T) {
	layer := string(archiveOf(t, member{name: "a", content: "a"}))
	path := filepath.Join(t.TempDir(), "saved.tar")
	data := archiveOf(t, member{name: "l.tar", content: layer}, member{name: "c.json", content: config(hash(layer))},
		member{name: "manifest.json", content: manifest("c.json", "l.tar")})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "image")
	if err := Run(context.Background(), []string{"-directory", dir, "--tarball=" + path}, &out); err != nil ||
		!strings.Contains(out.String(), fmt.Sprintf("Successfully wrote docker image tarball to %q", dir)) {
		t.Errorf("%v, %s", err, out.String())
	}
	for _, args := range [][]string{nil, {"-directory", dir}, {"-tarball", path}, {"-what"}, {"-directory", dir, "-tarball", path, "x"}} {
		if err := Run(context.Background(), args, io.Discard); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := Run(context.Background(), []string{"-directory", dir, "-tarball", "none"}, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "Failed to load tarball into OCI format: unpacking the image in none: ") {
		t.Error(err)
	}
}
