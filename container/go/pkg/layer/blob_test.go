package layer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// various is a layer of several MiB of all sorts, the same on each call.
func various(t testing.TB, files, size int) spec.Layer {
	t.Helper()
	dir := t.TempDir()
	l := spec.Layer{Version: spec.Version, Target: "//x:y", Mode: "0o555", EmptyDirs: []string{"tmp"}}
	random := rand.NewChaCha8([32]byte{2})
	content := make([]byte, size)
	for i := range files {
		_, _ = random.Read(content[size/4*(i%4):])
		name := fmt.Sprintf("f%05d", i)
		source := filepath.Join(dir, name)
		if err := os.WriteFile(source, content, 0o644); err != nil {
			t.Fatal(err)
		}
		l.Files = append(l.Files, spec.File{Source: source, Destination: "data/" + name})
		clear(content)
	}
	return l
}

// The digests are what users' images are known by: a change of any of them is a
// change for every user, and has to be in the changelog.
func TestGoldenDigests(t *testing.T) {
	l := various(t, 40, 70_000)
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, c := range []struct {
		c    spec.Compression
		want string
	}{
		{spec.Compression{Algorithm: "none"}, "6a7769e71b085ef91c3204353369e3d140c5071c9b1056b28b466cc59781a860"},
		{spec.Compression{Algorithm: "gzip"}, "d60f44383db3444cc6c8aa3a2177a367411b6d9c0d66062e5f28b52b8543b2cd"},
		{spec.Compression{Algorithm: "gzip", Level: 9}, "5d73df41eaa6a586fa8b8df70541a3cda159b95244667c9ac5e521880b1af2bb"},
		{spec.Compression{Algorithm: "zstd"}, "4e4dc784a643ad13086d0785bc1eeb18e6321464fc3f21d3f6faa9f0abcffa67"},
	} {
		for _, cores := range []int{1, 2, 8, 8} {
			t.Run(fmt.Sprintf("%s %d on %d", c.c.Algorithm, c.c.Level, cores), func(t *testing.T) {
				runtime.GOMAXPROCS(cores)
				l.Compression = c.c
				blob, _, err := built(t, l)
				if err != nil {
					t.Fatal(err)
				}
				if got := hexSum(blob); got != c.want {
					t.Errorf("sha256 %s, want %s", got, c.want)
				}
			})
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func outputs(dir string) Outputs {
	return Outputs{Blob: filepath.Join(dir, "blob"), Metadata: filepath.Join(dir, "metadata"), BlobSum: filepath.Join(dir, "sum"), DiffID: filepath.Join(dir, "diffid")}
}

// wantDescribed checks the outputs about a blob against the blob and its tar.
func wantDescribed(t *testing.T, out Outputs, mediaType string, blob, plain []byte) {
	t.Helper()
	got, err := spec.Read[spec.LayerMetadata](out.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	want := spec.LayerMetadata{
		Version: 1, MediaType: mediaType, Digest: "sha256:" + hexSum(blob), Size: int64(len(blob)),
		DiffID: "sha256:" + hexSum(plain), UncompressedSize: int64(len(plain)),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("metadata %+v, want %+v", got, want)
	}
	if got := string(read(t, out.BlobSum)); got != hexSum(blob) {
		t.Errorf("blob sum %q", got)
	}
	if got := string(read(t, out.DiffID)); got != hexSum(plain) {
		t.Errorf("diff id %q", got)
	}
}

func TestOutputs(t *testing.T) {
	l := various(t, 3, 1000)
	l.Compression.Algorithm = "none"
	plain, _, err := built(t, l)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, c := range map[string]struct {
		mediaType string
		expand    func([]byte) []byte
	}{
		"none": {"application/vnd.docker.image.rootfs.diff.tar", func(b []byte) []byte { return b }},
		"gzip": {"application/vnd.docker.image.rootfs.diff.tar.gzip", func(b []byte) []byte { return gunzip(t, b) }},
		"zstd": {"application/vnd.oci.image.layer.v1.tar+zstd", func(b []byte) []byte { p, _ := dec.DecodeAll(b, nil); return p }},
	} {
		t.Run(algorithm, func(t *testing.T) {
			out := outputs(t.TempDir())
			l.Compression.Algorithm = algorithm
			if err := Build(t.Context(), l, out); err != nil {
				t.Fatal(err)
			}
			blob := read(t, out.Blob)
			if !bytes.Equal(c.expand(blob), plain) {
				t.Error("the blob is not the tar compressed")
			}
			wantDescribed(t, out, c.mediaType, blob, plain)

			without := out
			without.Blob = ""
			without.Metadata += "2"
			if err := Describe(t.Context(), out.Blob, without); err != nil {
				t.Fatal(err)
			}
			wantDescribed(t, without, c.mediaType, blob, plain)

			zipped := outputs(t.TempDir())
			if err := Describe(t.Context(), out.Blob, zipped); err != nil {
				t.Fatal(err)
			}
			blob2 := read(t, zipped.Blob)
			wantDescribed(t, zipped, MediaTypeGzip, blob2, plain)
			if algorithm == "gzip" && !bytes.Equal(blob, blob2) {
				t.Error("a gzip blob was not copied as it is")
			}
			if !bytes.Equal(gunzip(t, blob2), plain) {
				t.Error("the gzip blob is not the tar")
			}

			tar := filepath.Join(t.TempDir(), "tar")
			if err := Decompress(t.Context(), out.Blob, tar); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, tar), plain) {
				t.Error("decompressed to something else")
			}

			if algorithm == "none" {
				return
			}
			cut := tarFile(t, blob[:len(blob)-3])
			dir := t.TempDir()
			for _, err := range []error{Describe(t.Context(), cut, outputs(dir)), Describe(t.Context(), cut, Outputs{Metadata: filepath.Join(dir, "m")}), Decompress(t.Context(), cut, filepath.Join(dir, "t"))} {
				if err == nil || !strings.Contains(err.Error(), cut) || !strings.Contains(err.Error(), "truncated") {
					t.Errorf("truncated blob: %v", err)
				}
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

func TestDescribeWhatHasNoMediaType(t *testing.T) {
	err := Describe(t.Context(), "testdata/f.tar.bz2", Outputs{Metadata: filepath.Join(t.TempDir(), "m")})
	if err == nil || !strings.Contains(err.Error(), "bzip2") {
		t.Errorf("error %v", err)
	}
	out := outputs(t.TempDir())
	if err := Describe(t.Context(), "testdata/f.tar.bz2", out); err != nil {
		t.Fatal(err)
	}
	blob := read(t, out.Blob)
	wantDescribed(t, out, MediaTypeGzip, blob, gunzip(t, blob))
}

func TestUnwritableOutput(t *testing.T) {
	dir := t.TempDir()
	out := outputs(dir)
	if err := os.MkdirAll(filepath.Join(out.DiffID, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := Build(t.Context(), spec.Layer{Compression: spec.Compression{Algorithm: "gzip"}}, out)
	if err == nil || !strings.Contains(err.Error(), out.DiffID) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

func BenchmarkSmallFiles(b *testing.B) { benchmark(b, various(b, 2000, 4096), 2000*4096) }
func BenchmarkLargeFile(b *testing.B)  { benchmark(b, various(b, 1, 64<<20), 64<<20) }

func benchmark(b *testing.B, l spec.Layer, size int64) {
	l.Compression.Algorithm = "gzip"
	b.SetBytes(size)
	out := outputs(b.TempDir())
	for b.Loop() {
		if err := Build(b.Context(), l, out); err != nil {
			b.Fatal(err)
		}
	}
}
