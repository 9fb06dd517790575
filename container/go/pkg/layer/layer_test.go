package layer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// entry is a member as a reader of the layer sees it, on one line.
func entry(h *tar.Header, content []byte) string {
	s := fmt.Sprintf("%c %04o %d:%d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name)
	if h.Linkname != "" {
		s += " -> " + h.Linkname
	}
	if len(content) > 0 {
		s += " = " + string(content)
	}
	if h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock {
		s += fmt.Sprintf(" %d,%d", h.Devmajor, h.Devminor)
	}
	if t := h.ModTime; !t.Equal(time.Unix(0, 0)) {
		s += fmt.Sprintf(" @%d.%d", t.Unix(), t.Nanosecond())
	}
	for _, k := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if k != "mtime" && k != "path" {
			s += " " + k + "=" + h.PAXRecords[k]
		}
	}
	return s + h.Uname + h.Gname
}

func entries(t *testing.T, plain io.Reader) []string {
	t.Helper()
	var list []string
	for tr := tar.NewReader(plain); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry(h, content))
	}
}

// built builds a plain layer and returns its tar and the warnings.
func built(t *testing.T, l spec.Layer) ([]byte, string, error) {
	t.Helper()
	dir := t.TempDir()
	l.Version, l.Target = spec.Version, "//x:y"
	if l.Compression.Algorithm == "" {
		l.Compression.Algorithm = "none"
	}
	var warnings bytes.Buffer
	out := Outputs{Blob: filepath.Join(dir, "blob"), Metadata: filepath.Join(dir, "metadata"), BlobSum: filepath.Join(dir, "sum"), DiffID: filepath.Join(dir, "diffid")}
	err := Builder{Warnings: &warnings}.Build(t.Context(), l, out)
	left, rerr := os.ReadDir(dir)
	if rerr != nil {
		t.Fatal(rerr)
	}
	want := 4
	if err != nil {
		want = 0
	}
	if len(left) != want {
		t.Errorf("%d files are left, want %d: %v", len(left), want, left)
	}
	if err != nil {
		return nil, "", err
	}
	blob, rerr := os.ReadFile(out.Blob)
	if rerr != nil {
		t.Fatal(rerr)
	}
	return blob, warnings.String(), nil
}

func wantEntries(t *testing.T, l spec.Layer, want ...string) {
	t.Helper()
	blob, warnings, err := built(t, l)
	if err != nil {
		t.Fatal(err)
	}
	if warnings != "" {
		t.Errorf("warnings: %s", warnings)
	}
	if len(blob)%recordSize != 0 {
		t.Errorf("the tar has %d bytes, no multiple of %d", len(blob), recordSize)
	}
	if got := entries(t, bytes.NewReader(blob)); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func file(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOwnEntries(t *testing.T) {
	plain, executable := file(t, "plain", 0o644), file(t, "run", 0o755)
	files := []spec.File{{Source: plain, Destination: "a/b/plain"}, {Source: executable, Destination: "a/run"}}
	for _, c := range []struct {
		name string
		l    spec.Layer
		want []string
	}{
		{"files", spec.Layer{Mode: "0o555", Files: files}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./a/", "5 0755 0:0 ./a/b/", "0 0555 0:0 ./a/b/plain = plain", "0 0555 0:0 ./a/run = run",
		}},
		{"mode of the source", spec.Layer{Files: files, EmptyFiles: []string{"e"}, EmptyDirs: []string{"d"}}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./a/", "5 0755 0:0 ./a/b/", "0 0644 0:0 ./a/b/plain = plain", "0 0755 0:0 ./a/run = run",
			"0 0644 0:0 ./e", "5 0755 0:0 ./d/",
		}},
		{"directory is not for these", spec.Layer{Directory: "/app", Mode: "0644", EmptyFiles: []string{"/x/e"}, EmptyDirs: []string{"y/d/"}, Symlinks: []spec.Symlink{{Name: "z/l", Target: "../../up"}}}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./x/", "0 0644 0:0 ./x/e", "5 0755 0:0 ./y/", "5 0644 0:0 ./y/d/", "5 0755 0:0 ./z/", "2 0755 0:0 ./z/l -> ../../up",
		}},
		{"absolute symlinks", spec.Layer{EmptyDirs: []string{"usr"}, Mode: "700", Symlinks: []spec.Symlink{{Name: "/usr/bin/l", Target: "/etc/x"}}}, []string{
			"5 0755 0:0 ./", "5 0700 0:0 ./usr/", "5 0755 0:0 ./usr/bin/", "2 0755 0:0 ./usr/bin/l -> /etc/x",
		}},
		{"dot files", spec.Layer{EmptyFiles: []string{".dot", "./.d/..x"}}, []string{
			"5 0755 0:0 ./", "0 0644 0:0 ./.dot", "5 0755 0:0 ./.d/", "0 0644 0:0 ./.d/..x",
		}},
		{"time and setuid", spec.Layer{MTime: 946684800, Mode: "4755", EmptyFiles: []string{"e"}}, []string{
			"5 0755 0:0 ./ @946684800.0", "0 4755 0:0 ./e @946684800.0",
		}},
		{"Windows", spec.Layer{Root: "Files", Files: files[1:], Symlinks: []spec.Symlink{{Name: "/l", Target: "a"}}}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./Files/", "5 0755 0:0 ./Files/a/", "0 0755 0:0 ./Files/a/run = run", "5 0755 0:0 ./Hives/", "2 0755 0:0 ./Files/l -> a",
		}},
		{"below a symlink", spec.Layer{Symlinks: []spec.Symlink{{Name: "lib", Target: "usr/lib"}, {Name: "lib/x/l", Target: "t"}}}, []string{
			"5 0755 0:0 ./", "2 0755 0:0 ./lib -> usr/lib", "2 0755 0:0 ./lib/x/l -> t",
		}},
	} {
		t.Run(c.name, func(t *testing.T) { wantEntries(t, c.l, c.want...) })
	}
}

func TestLongNames(t *testing.T) {
	long := strings.Repeat("d/", 120) + strings.Repeat("n", 200) + "é"
	blob, _, err := built(t, spec.Layer{EmptyFiles: []string{long}})
	if err != nil {
		t.Fatal(err)
	}
	list := entries(t, bytes.NewReader(blob))
	if got, want := list[len(list)-1], "0 0644 0:0 ./"+long; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEmptyLayer(t *testing.T) {
	blob, _, err := built(t, spec.Layer{})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(blob)
	if got, want := hex.EncodeToString(sum[:]), "84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652"; got != want {
		t.Errorf("sha256 %s, want %s (10240 zeros)", got, want)
	}
}

func TestDuplicatesWarn(t *testing.T) {
	one, two := file(t, "one", 0o644), file(t, "two", 0o644)
	blob, warnings, err := built(t, spec.Layer{Files: []spec.File{{Source: one, Destination: "f"}, {Source: two, Destination: "f"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := entries(t, bytes.NewReader(blob)), []string{"5 0755 0:0 ./", "0 0644 0:0 ./f = one"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, want := range []string{"//x:y", "./f", one, two} {
		if strings.Count(warnings, "\n") != 1 || !strings.Contains(warnings, want) {
			t.Errorf("warnings %q: want one line with %q", warnings, want)
		}
	}
}

func TestBadDescriptions(t *testing.T) {
	f := file(t, "x", 0o644)
	for _, c := range []struct {
		name string
		l    spec.Layer
		want []string
	}{
		{"mode", spec.Layer{Mode: "0x1ff"}, []string{"//x:y", "0x1ff", "octal"}},
		{"mode with too many bits", spec.Layer{Mode: "17777"}, []string{"17777"}},
		{"negative mode", spec.Layer{Mode: "-1"}, []string{"-1"}},
		{"missing file", spec.Layer{Files: []spec.File{{Source: "nowhere/f", Destination: "f"}}}, []string{"nowhere/f", "./f"}},
		{"device", spec.Layer{Files: []spec.File{{Source: os.DevNull, Destination: "f"}}}, []string{os.DevNull, "neither"}},
		{"climbing file", spec.Layer{Files: []spec.File{{Source: f, Destination: "a/../../f"}}}, []string{"a/../../f", "above"}},
		{"climbing directory", spec.Layer{Directory: "../x"}, []string{"../x"}},
		{"climbing link", spec.Layer{Symlinks: []spec.Symlink{{Name: "/../l", Target: "t"}}}, []string{"/../l"}},
		{"file at the root", spec.Layer{Files: []spec.File{{Source: f, Destination: "."}}}, []string{f, "root"}},
		{"empty file at the root", spec.Layer{EmptyFiles: []string{"/"}}, []string{"root"}},
		{"link without target", spec.Layer{Symlinks: []spec.Symlink{{Name: "l"}}}, []string{"target"}},
		{"file above a file", spec.Layer{Files: []spec.File{{Source: f, Destination: "a"}}, EmptyFiles: []string{"a/b"}}, []string{"./a,", "./a/b ", f}},
		{"file in place of a directory", spec.Layer{Files: []spec.File{{Source: f, Destination: "a/b"}}, EmptyFiles: []string{"a"}}, []string{"./a ", f, "empty_files"}},
		{"compression", spec.Layer{Compression: spec.Compression{Algorithm: "gzip", Level: 11}}, []string{"//x:y", "level", "11"}},
		{"algorithm", spec.Layer{Compression: spec.Compression{Algorithm: "rar"}}, []string{"rar"}},
		{"missing tar", spec.Layer{Tars: []string{"nowhere/x.tar"}}, []string{"nowhere/x.tar"}},
		{"missing deb", spec.Layer{Debs: []string{"nowhere/x.deb"}}, []string{"nowhere/x.deb"}},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.l, c.want...) })
	}
}

func wantError(t *testing.T, l spec.Layer, want ...string) {
	t.Helper()
	_, _, err := built(t, l)
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not mention %q", err, w)
		}
	}
}

func TestContentThatChanges(t *testing.T) {
	source := file(t, strings.Repeat("x", 1000), 0o644)
	for _, c := range []struct {
		name   string
		source string
		size   int64 // what was seen earlier
		want   error
	}{
		{"grown", source, 999, errChanged},
		{"shrunk", source, 1001, errChanged},
		{"grown from nothing", source, 0, errChanged},
		{"vanished", source + "-gone", 1000, os.ErrNotExist},
		{"unchanged", source, 1000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree(io.Discard, nil, time.Unix(0, 0), t.Logf)
			o := &own{ctx: t.Context(), tree: tr, buf: make([]byte, 300)}
			if _, err := tr.add("f", tar.Header{Typeflag: tar.TypeReg, Size: c.size}, c.source); err != nil {
				t.Fatal(err)
			}
			err := o.content(c.source, c.size)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.source) {
				t.Errorf("error %q does not name the file", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	l := spec.Layer{Files: []spec.File{{Source: file(t, "x", 0o644), Destination: "f"}}, Compression: spec.Compression{Algorithm: "gzip"}}
	if err := Build(ctx, l, Outputs{Blob: filepath.Join(dir, "blob")}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func gunzip(t *testing.T, in []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
