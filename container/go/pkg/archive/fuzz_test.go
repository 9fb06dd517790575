package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzOpen opens what claims to be a tar or a Debian package. The outcome is an error or
// members with tame names, and nothing is left in the temporary directory.
func FuzzOpen(f *testing.F) {
	plain := packedTar(f,
		tar.Header{Name: "control", Typeflag: tar.TypeReg, Uname: "Package: p\n"},
		tar.Header{Name: "d/", Typeflag: tar.TypeDir},
		tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"},
		tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "./control"},
		tar.Header{Name: strings.Repeat("n", 200), Typeflag: tar.TypeReg, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b"}},
		tar.Header{Name: "n", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
	)
	escaping := packedTar(f, tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "../x"})
	member := func(name string, content []byte) []byte {
		return append(fmt.Appendf(nil, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(content)), content...)
	}
	deb := append([]byte(arMagic), member("control.tar", plain)...)
	deb = append(deb, member("data.tar", plain)...)
	for _, seed := range [][]byte{
		nil, plain, escaping, deb, deb[:len(deb)/2], plain[:700], sparseTar(plain, 1<<62), sparseTar(plain, 1<<20),
		gzipText(f, string(plain)), xzText(f, string(plain)), []byte("!<arch>\n"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		root := t.TempDir()
		path, spool := filepath.Join(root, "in"), filepath.Join(root, "spool")
		if err := errors.Join(os.WriteFile(path, in, 0o600), os.Mkdir(spool, 0o700)); err != nil {
			t.Fatal(err)
		}
		if a, err := OpenTar(t.Context(), path, spool); err == nil {
			walkTame(t, a)
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
		if d, err := OpenDeb(t.Context(), path, spool); err == nil {
			walkTame(t, d.Data)
			if strings.ContainsAny(d.Package, "/\x00") || d.Package == "" {
				t.Errorf("package %q", d.Package)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if left, err := os.ReadDir(spool); len(left) > 0 || err != nil {
			t.Errorf("left over: %v, %v", left, err)
		}
	})
}

// walkTame looks at all members up to an error.
func walkTame(t *testing.T, a *Tar) {
	t.Helper()
	tame := func(name string) bool {
		return name == "" || !strings.HasPrefix(name, "/") && !strings.Contains("/"+name+"/", "/../")
	}
	_ = a.Walk(t.Context(), func(m Member, content io.Reader) error {
		if !tame(m.Name) || !tame(m.Link) || m.Header.Size < 0 || m.Header.Size > 0 && m.Header.Typeflag != tar.TypeReg {
			t.Errorf("%+v", m)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(content, most))
		if err == nil && n != min(m.Header.Size, most) {
			t.Errorf("%q has %d bytes, and its header says %d", m.Name, n, m.Header.Size)
		}
		return err
	})
}

// packedTar is a tar of the given headers; a file's content is Uname.
func packedTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content, h.Size = h.Uname, int64(len(h.Uname))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sparseTar makes the first member of a tar one of GNU's old format that has nothing but
// holes: size bytes of them.
func sparseTar(of []byte, size int64) []byte {
	const typeflag, magic, checksum, realSize = 156, 257, 148, 483
	data := bytes.Clone(of)
	header := data[:512]
	header[typeflag] = 'S'
	copy(header[magic:], "ustar  \x00")
	clear(header[345:500])
	copy(header[124:136], fmt.Sprintf("%011o\x00", 0)) // of the content that is there
	header[realSize] = 0x80                            // a number in base 256 follows
	for i := range 8 {
		header[realSize+11-i] = byte(size >> (8 * i))
	}
	copy(header[checksum:checksum+8], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[checksum:checksum+8], fmt.Sprintf("%06o\x00 ", sum))
	return append(bytes.Clone(header), data[1024:]...)
}
