package layer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// packed is a tar of the given headers; a regular file's content is Uname, so that
// a test fits on a line.
func packed(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content = h.Uname
			h.Size = int64(len(content))
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

func reg(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Uname: content, Mode: 0o640, Uid: 7, Gid: 8, Gname: "g", ModTime: time.Unix(99, 0)}
}

func dir(name string, mode int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, Uid: 3, Gid: 4, ModTime: time.Unix(98, 0)}
}

func link(typeflag byte, name, target string) tar.Header {
	return tar.Header{Typeflag: typeflag, Name: name, Linkname: target, Mode: 0o777}
}

func tarFile(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.bin")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTars(t *testing.T) {
	xattr := dir("d", 0o1777)
	xattr.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01\x00x", "VENDOR.x": "kept", "comment": "gone"}
	fractional := reg("f", "x")
	fractional.Format = tar.FormatPAX
	fractional.ModTime, fractional.AccessTime, fractional.ChangeTime = time.Unix(5, 7e8), time.Unix(6, 1), time.Unix(6, 2)
	whole := reg("w", "")
	device := tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3}
	large := reg("u", "")
	large.Uid, large.Mode = 1<<30, 0o4755

	for _, c := range []struct {
		name string
		l    spec.Layer
		in   []tar.Header
		want []string
	}{
		{"kinds", spec.Layer{}, []tar.Header{reg("./bin/a", "x"), link(tar.TypeLink, "bin/b", "./bin/a"), link(tar.TypeSymlink, "c", "/etc/../x"), device, {Typeflag: tar.TypeFifo, Name: "p", Mode: 0o600}, large}, []string{
			"5 0755 0:0 ./", "0 0640 7:8 ./bin/a = x", "1 0777 0:0 ./bin/b -> ./bin/a", "2 0777 0:0 ./c -> /etc/../x",
			"3 0666 0:0 ./dev/null 1,3", "6 0600 0:0 ./p", "0 4755 1073741824:8 ./u uid=1073741824",
		}},
		{"directory", spec.Layer{Directory: "/app/"}, []tar.Header{dir("./", 0o700), reg(".dot", "x"), link(tar.TypeLink, "h", ".dot"), reg("/abs/f", "y"), link(tar.TypeLink, "/abs/h", "/abs/f")}, []string{
			"5 0755 0:0 ./", "5 0755 3:4 ./app/", "0 0640 7:8 ./app/.dot = x", "1 0777 0:0 ./app/h -> ./app/.dot",
			"0 0640 7:8 ./abs/f = y", "1 0777 0:0 ./abs/h -> ./abs/f",
		}},
		{"an archive's directory beats an automatic one", spec.Layer{EmptyFiles: []string{"d/e/f"}}, []tar.Header{reg("x", ""), xattr, dir("d/e", 0o750)}, []string{
			"5 0755 0:0 ./", "5 1777 3:4 ./d/ SCHILY.xattr.security.capability=\x01\x00x VENDOR.x=kept", "5 0750 3:4 ./d/e/", "0 0644 0:0 ./d/e/f", "0 0640 7:8 ./x",
		}},
		{"but not one that was asked for", spec.Layer{EmptyDirs: []string{"d"}}, []tar.Header{dir("d", 0o700)}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./d/",
		}},
		{"the root of an archive keeps its mode to itself", spec.Layer{}, []tar.Header{dir("./", 0o700), reg("f", "")}, []string{
			"5 0755 0:0 ./", "0 0640 7:8 ./f",
		}},
		{"parents of members are not made up", spec.Layer{Symlinks: []spec.Symlink{{Name: "a/l", Target: "x"}}}, []tar.Header{reg("a/f", ""), reg("b/c/f", ""), dir("b", 0o711)}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./a/", "2 0755 0:0 ./a/l -> x", "0 0640 7:8 ./a/f", "5 0711 3:4 ./b/", "0 0640 7:8 ./b/c/f",
		}},
		{"parents after children", spec.Layer{}, []tar.Header{reg("a/b/f", ""), dir("a/b", 0o711), dir("a", 0o710)}, []string{
			"5 0755 0:0 ./", "5 0710 3:4 ./a/", "5 0711 3:4 ./a/b/", "0 0640 7:8 ./a/b/f",
		}},
		{"times are normalised", spec.Layer{MTime: 4}, []tar.Header{fractional}, []string{"5 0755 0:0 ./ @4.0", "0 0640 7:8 ./f = x @4.0"}},
		{"times are preserved", spec.Layer{PreserveMTime: true}, []tar.Header{fractional, whole}, []string{
			"5 0755 0:0 ./", "0 0640 7:8 ./f = x @5.700000000", "0 0640 7:8 ./w @99.0",
		}},
		{"Windows", spec.Layer{Root: "Files", Directory: "d"}, []tar.Header{reg("f", ""), reg("/g", ""), link(tar.TypeLink, "h", "f")}, []string{
			"5 0755 0:0 ./", "5 0755 0:0 ./Files/", "5 0755 0:0 ./Hives/", "5 0755 7:8 ./Files/d/", "0 0640 7:8 ./Files/d/f", "0 0640 7:8 ./Files/g", "1 0777 0:0 ./Files/d/h -> ./Files/d/f",
		}},
		{"merged /usr", spec.Layer{}, []tar.Header{link(tar.TypeSymlink, "lib", "usr/lib"), dir("lib", 0o755), reg("lib/x/f", "")}, []string{
			"5 0755 0:0 ./", "2 0777 0:0 ./lib -> usr/lib", "0 0640 7:8 ./lib/x/f",
		}},
		{"global headers", spec.Layer{}, []tar.Header{{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "commit"}}, reg("f", "")}, []string{
			"5 0755 0:0 ./", "0 0640 7:8 ./f",
		}},
		{"nothing", spec.Layer{Directory: "d"}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.l.Tars = []string{tarFile(t, packed(t, c.in...))}
			wantEntries(t, c.l, c.want...)
		})
	}
}

func TestCompressedTars(t *testing.T) {
	plain := packed(t, reg("f", strings.Repeat("x", 100)))
	var gz, xzed, zst bytes.Buffer
	for _, half := range [][]byte{plain[:700], plain[700:]} { // two gzip members
		w := gzip.NewWriter(&gz)
		_, _ = w.Write(half)
		_ = w.Close()
	}
	xw, err := xz.NewWriter(&xzed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = xw.Write(plain)
	_ = xw.Close()
	zw, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = zw.Write(plain)
	_ = zw.Close()
	bz, err := os.ReadFile("testdata/f.tar.bz2")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"plain": plain, "gzip": gz.Bytes(), "xz": xzed.Bytes(), "zstd": zst.Bytes(), "bzip2": bz} {
		t.Run(name, func(t *testing.T) {
			wantEntries(t, spec.Layer{Tars: []string{tarFile(t, content)}},
				"5 0755 0:0 ./", "0 0640 7:8 ./f = "+strings.Repeat("x", 100))
			if name == "plain" {
				return
			}
			for _, left := range []int{len(content) - 1, len(content) / 2, 8} {
				cut := tarFile(t, content[:left])
				wantError(t, spec.Layer{Tars: []string{cut}}, cut, "truncated")
			}
		})
	}
}

func TestHostileTars(t *testing.T) {
	long := packed(t, reg("big", strings.Repeat("x", 5000)))
	fifo := packed(t, link('Z', "odd", ""))
	for _, c := range []struct {
		name string
		in   []byte
		want []string
	}{
		{"escaping member", packed(t, reg("../../etc/passwd", "x")), []string{"../../etc/passwd", "leads out"}},
		{"escaping in the middle", packed(t, reg("a/../../f", "x")), []string{"a/../../f", "leads out"}},
		{"escaping from the root", packed(t, reg("/../f", "x")), []string{"/../f", "leads out"}},
		{"hard link out", packed(t, link(tar.TypeLink, "h", "../../etc/shadow")), []string{`"h"`, "../../etc/shadow", "leads out"}},
		{"hard link to the root", packed(t, link(tar.TypeLink, "h", "/")), []string{`"h"`, "leads out"}},
		{"endless name", packed(t, reg(strings.Repeat("a/", 3000)+"a", "")), []string{"a/a/a", "no system takes"}},
		{"endless link", packed(t, link(tar.TypeSymlink, "l", strings.Repeat("a/", 3000))), []string{`"l"`, "no system takes"}},
		{"records that lie", lyingRecords(t), []string{"sizes that lie"}},
		{"a zstd window that nothing fits in", []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 20 << 3, 1, 0, 0}, []string{"zstd", "window"}},
		{"file as the root", packed(t, reg(".", "x")), []string{"root"}},
		{"odd type", fifo, []string{"odd", "type"}},
		{"truncated content", long[:len(long)-3000], []string{"big", "truncated"}},
		{"truncated header", long[:100], []string{"truncated"}},
		{"not a tar", []byte(strings.Repeat("no tar at all\n", 100)), []string{"not a tar"}},
		{"garbage at the end", append(slices.Clone(long), "garbage"...), []string{"after the archive's end"}},
		{"two archives", append(slices.Clone(long), long...), []string{"after the archive's end"}},
		{"file and directory", packed(t, reg("a", "x"), reg("a/b", "y")), []string{"./a,", "./a/b "}},
		{"directory and file", packed(t, dir("a", 0o755), reg("a", "y")), []string{"./a ", "a directory", "a file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := tarFile(t, c.in)
			wantError(t, spec.Layer{Directory: "deep/er", Tars: []string{in}, PreserveMTime: true}, append(c.want, in)[len(c.want):]...)
			wantError(t, spec.Layer{Tars: []string{in}}, append(c.want, in)...)
		})
	}
	t.Run("zeros at the end", func(t *testing.T) {
		in := tarFile(t, append(slices.Clone(long), make([]byte, 20_000)...))
		wantEntries(t, spec.Layer{Tars: []string{in}}, "5 0755 0:0 ./", "0 0640 7:8 ./big = "+strings.Repeat("x", 5000))
	})
}

// lyingRecords is a tar whose extended header says that its only file of 10 bytes has 9999999.
func lyingRecords(t testing.TB) []byte {
	h := reg("f", "0123456789")
	h.PAXRecords = map[string]string{"VENDOR.si": "10"}
	// Both records are 16 bytes long.
	return bytes.Replace(packed(t, h), []byte("16 VENDOR.si=10\n"), []byte("16 size=9999999\n"), 1)
}

// ar packs name, content pairs as an ar archive.
func ar(pairs ...string) []byte {
	out := []byte("!<arch>\n")
	for i := 0; i < len(pairs); i += 2 {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", pairs[i], 0, 0, 0, "100644", len(pairs[i+1]), pairs[i+1])
		if len(pairs[i+1])%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func debOf(t testing.TB, control string, data []byte) []byte {
	c := string(packed(t, dir("./", 0o755), reg("./control", control), reg("./md5sums", "sums")))
	return ar("debian-binary", "2.0\n", "control.tar/", c, "data.tar", string(data))
}

func TestDebs(t *testing.T) {
	data := packed(t, dir("./", 0o755), dir("./usr/", 0o755), reg("./usr/f", "x"))
	control := "Source: glibc\nPackage: libc-bin\nDescription: x\n Package: other\n"
	in := tarFile(t, debOf(t, control, data))
	wantEntries(t, spec.Layer{Directory: "/d", Debs: []string{in}},
		"5 0755 0:0 ./", "5 0755 0:0 ./d/", "5 0755 0:0 ./d/var/", "5 0755 0:0 ./d/var/lib/", "5 0755 0:0 ./d/var/lib/dpkg/", "5 0755 0:0 ./d/var/lib/dpkg/status.d/",
		"0 0644 0:0 ./d/var/lib/dpkg/status.d/libc-bin = "+control, "0 0644 0:0 ./d/var/lib/dpkg/status.d/libc-bin.md5sums = sums",
		"5 0755 3:4 ./d/usr/", "0 0640 7:8 ./d/usr/f = x")
}

func TestHostileDebs(t *testing.T) {
	good := debOf(t, "Package: p\n", packed(t))
	lying := bytes.Replace(slices.Clone(good), []byte("4         `\n"), []byte("999999999 `\n"), 1)
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"not an ar archive", []byte("!<orch>\nxxxxxxxxxxxxxxx"), "not a Debian package"},
		{"empty", nil, "not a Debian package"},
		{"truncated", good[:30], "truncated"},
		{"a size that lies", lying, "sizes that lie"},
		{"no data", ar("debian-binary", "2.0\n", "control.tar", string(packed(t))), "lacks"},
		{"no package", debOf(t, "Source: x\n", packed(t)), "Package"},
		{"package that climbs", debOf(t, "Package: ../../../etc/passwd\n", packed(t)), "Package"},
		{"data that climbs", debOf(t, "Package: p\n", packed(t, reg("../f", "x"))), "leads out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := tarFile(t, c.in)
			wantError(t, spec.Layer{Debs: []string{in}}, in, c.want)
		})
	}
}

// checkFuzzed builds a layer from what may be an archive: an error, or a tar with
// nothing but tame names.
func checkFuzzed(t *testing.T, l spec.Layer) {
	l.Compression.Algorithm = "none"
	out := filepath.Join(t.TempDir(), "blob")
	if err := (Builder{Warnings: io.Discard}).Build(t.Context(), l, Outputs{Blob: out}); err != nil {
		if _, serr := os.Stat(out); serr == nil {
			t.Errorf("there is an output in spite of: %v", err)
		}
		return
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("the layer cannot be read: %v", err)
		}
		rel, absolute, err := archive.Clean(h.Name)
		if err != nil || absolute || strings.TrimSuffix(h.Name, "/") != strings.TrimSuffix("./"+rel, "/") {
			t.Errorf("member %q", h.Name)
		}
		if h.Typeflag == tar.TypeLink && !strings.HasPrefix(h.Linkname, "./") {
			t.Errorf("hard link to %q", h.Linkname)
		}
	}
}

func FuzzArchive(f *testing.F) {
	plain := packed(f, reg("a/f", "x"), link(tar.TypeLink, "h", "a/f"), dir("a", 0o700))
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(plain)
	_ = w.Close()
	f.Add(plain)
	f.Add(zipped.Bytes())
	f.Add(packed(f, reg("../f", "x")))
	f.Add(packed(f, reg("f", "x"), reg("f", "y"), link(tar.TypeSymlink, "f", "/etc/passwd"), reg("f/g", "z")))
	f.Add(packed(f, link(tar.TypeSymlink, "d", "../.."), reg("d/etc/passwd", "x"), link(tar.TypeLink, "/h", "d/../../x")))
	f.Add(packed(f, link(tar.TypeChar, "dev/mem", ""), link(tar.TypeFifo, "f", ""), link(tar.TypeBlock, "../sda", "")))
	f.Add(packed(f, reg(strings.Repeat("long/", 100)+"f", "x"), link(tar.TypeSymlink, "l", strings.Repeat("n", 5000))))
	f.Add(lyingRecords(f))
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Contains(in, []byte("GNU.sparse")) || len(in) > 156 && in[156] == tar.TypeGNUSparse {
			return // holes may be larger than the disk, and are allowed to be
		}
		checkFuzzed(t, spec.Layer{Tars: []string{tarFile(t, in)}})
	})
}

func FuzzDeb(f *testing.F) {
	f.Add(debOf(f, "Package: p\n", packed(f, reg("f", "x"))))
	f.Add([]byte("!<arch>\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Contains(in, []byte("GNU.sparse")) {
			return
		}
		checkFuzzed(t, spec.Layer{Debs: []string{tarFile(t, in)}})
	})
}

// The archives hold a file of 1 MiB with "middle" at byte 500000 and holes around it.
func TestSparseFilesAreExpanded(t *testing.T) {
	want := make([]byte, 1<<20)
	copy(want[500_000:], "middle")
	for _, name := range []string{"testdata/sparse-gnu.tar", "testdata/sparse-posix.tar"} {
		t.Run(name, func(t *testing.T) {
			wantEntries(t, spec.Layer{Tars: []string{name}}, "5 0755 0:0 ./", "0 0644 0:0 ./sparse = "+string(want))
		})
	}
}
