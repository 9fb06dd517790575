package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in, rel  string
		absolute bool
		err      error
	}{
		{"", "", false, nil},
		{".", "", false, nil},
		{"./", "", false, nil},
		{"/", "", true, nil},
		{"./a/b/", "a/b", false, nil},
		{"//a//b", "a/b", true, nil},
		{"a/./b/../c", "a/c", false, nil},
		{".dot", ".dot", false, nil},
		{"..dots", "..dots", false, nil},
		{"a/..", "", false, nil},
		{"..", "", false, ErrEscapes},
		{"../a", "", false, ErrEscapes},
		{"./../a", "", false, ErrEscapes},
		{"a/../../b", "", false, ErrEscapes},
		{"/../a", "", true, ErrEscapes},
	} {
		rel, absolute, err := Clean(c.in)
		if rel != c.rel || absolute != c.absolute || !errors.Is(err, c.err) {
			t.Errorf("Clean(%q) = %q, %v, %v; want %q, %v, %v", c.in, rel, absolute, err, c.rel, c.absolute, c.err)
		}
	}
}

func TestRecords(t *testing.T) {
	got := records(map[string]string{
		"path": "x", "uname": "u", "mtime": "1.5", "atime": "2", "GNU.sparse.major": "1", "SCHILY.ino": "4",
		"SCHILY.xattr.user.a": "b", "SCHILY.acl.access": "c", "LIBARCHIVE.xattr.user.a": "Yg",
	})
	want := map[string]string{"SCHILY.xattr.user.a": "b", "SCHILY.acl.access": "c", "LIBARCHIVE.xattr.user.a": "Yg"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := records(map[string]string{"path": "x"}); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

func TestPlainReader(t *testing.T) {
	for _, in := range []string{"", "x", "\x1f", "not compressed at all"} {
		r, format, err := NewReader(bytes.NewReader([]byte(in)))
		if err != nil || format != Plain {
			t.Fatalf("%q: %v, %v", in, format, err)
		}
		if got, err := io.ReadAll(r); string(got) != in || err != nil {
			t.Errorf("%q came back as %q, %v", in, got, err)
		}
	}
}

// The holes of a sparse file are in no archive, so their size may be any.
func TestSparse(t *testing.T) {
	pax := func(size int64) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: "f", Size: size, PAXRecords: map[string]string{"GNU.sparse.realsize": "..."}}
	}
	for _, c := range []struct {
		name string
		h    *tar.Header
		want error
	}{
		{"a large file", &tar.Header{Typeflag: tar.TypeReg, Name: "f", Size: maxSparse + 1}, nil},
		{"large, with holes", pax(maxSparse), nil},
		{"absurd", pax(maxSparse + 1), errSparse},
		{"absurd, in GNU's format", &tar.Header{Typeflag: tar.TypeGNUSparse, Name: "f", Size: 1 << 62}, errSparse},
	} {
		if _, ok, err := newMember(c.h); !errors.Is(err, c.want) || ok != (c.want == nil) {
			t.Errorf("%s: %v, %v; want %v", c.name, ok, err, c.want)
		}
	}
}

// A member's content need not be read, and a walk can be repeated.
func TestWalkTwiceAndSpool(t *testing.T) {
	tempDir := t.TempDir()
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, gzipped(t), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := OpenTar(t.Context(), path, tempDir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var names []string
		err := a.Walk(t.Context(), func(m Member, content io.Reader) error {
			names = append(names, m.Name)
			if m.Name == "b" {
				if got, err := io.ReadAll(content); string(got) != "content" || err != nil {
					t.Errorf("b has %q, %v", got, err)
				}
			}
			return nil
		})
		if err != nil || len(names) != 2 {
			t.Errorf("members %v, error %v", names, err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(tempDir); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

// An archive of many small files must not cost a large buffer for each of them.
func TestCopyOfMembers(t *testing.T) {
	var headers []tar.Header
	for range 100 {
		headers = append(headers, tar.Header{Name: "f", Typeflag: tar.TypeReg, Uname: text})
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(path, packedTar(t, headers...), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := OpenTar(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = a.Walk(t.Context(), func(_ Member, content io.Reader) error {
		n, err := Copy(t.Context(), io.Discard, content)
		if n != int64(len(text)) {
			t.Errorf("%d bytes", n)
		}
		return err
	})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(100*copyBuffer/8); got > most {
		t.Errorf("takes %d bytes of memory, want at most %d", got, most)
	}
}

func TestField(t *testing.T) {
	control := []byte("Source: s\npackage:  libc-bin \nDescription: d\n Package: no\n")
	if got := field(control, "Package"); got != "libc-bin" {
		t.Errorf("got %q", got)
	}
	if got := field(control, "Version"); got != "" {
		t.Errorf("got %q", got)
	}
}

func gzipped(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range []string{"a", "b"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 7, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "content"); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The same, as an archive has it.
func TestSparseArchive(t *testing.T) {
	plain := packedTar(t, tar.Header{Name: "f", Typeflag: tar.TypeReg, Uname: "x"})
	for _, c := range []struct {
		size int64
		want error
	}{{1 << 20, nil}, {1 << 62, errSparse}} {
		path := filepath.Join(t.TempDir(), "x.tar")
		if err := os.WriteFile(path, sparseTar(plain, c.size), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := OpenTar(t.Context(), path, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var read int64
		err = a.Walk(t.Context(), func(_ Member, content io.Reader) error {
			n, err := io.Copy(io.Discard, content)
			read += n
			return err
		})
		if !errors.Is(err, c.want) || c.want == nil && read != c.size {
			t.Errorf("%d bytes of %d, %v; want %v", read, c.size, err, c.want)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
