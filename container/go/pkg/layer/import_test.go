package layer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(s[:])
}

func TestImport(t *testing.T) {
	plain := bytes.Repeat([]byte("layer "), 5000)
	var zipped, zstdData bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(plain)
	z.Close()
	// As concatenated archives are, gzip may be several streams.
	z = gzip.NewWriter(&zipped)
	z.Write([]byte("more"))
	z.Close()
	s, err := zstd.NewWriter(&zstdData)
	if err != nil {
		t.Fatal(err)
	}
	s.Write(plain)
	s.Close()

	var made []byte
	for _, c := range []struct {
		name         string
		in, contents []byte
		kept         bool
	}{
		{"plain", plain, plain, false},
		{"zstd", zstdData.Bytes(), plain, false},
		{"gzip", zipped.Bytes(), append(slices.Clone(plain), "more"...), true},
		{"empty", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "blob")
			m, err := Import(context.Background(), bytes.NewReader(c.in), out)
			if err != nil {
				t.Fatal(err)
			}
			blob, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want := spec.LayerMetadata{Version: spec.Version, MediaType: MediaTypeGzip, Digest: sum(blob), Size: int64(len(blob)),
				DiffID: sum(c.contents), UncompressedSize: int64(len(c.contents))}
			if m.Digest != want.Digest || m.Size != want.Size || m.DiffID != want.DiffID ||
				m.UncompressedSize != want.UncompressedSize || m.MediaType != want.MediaType {
				t.Errorf("got %+v, want %+v", m, want)
			}
			if c.kept && !bytes.Equal(blob, c.in) {
				t.Error("a gzip layer was changed")
			}
			if bytes.Equal(c.contents, plain) {
				if made != nil && !bytes.Equal(blob, made) {
					t.Error("one layer, two blobs")
				}
				made = blob
			}
		})
	}
	out := filepath.Join(t.TempDir(), "blob")
	if _, err := Import(context.Background(), bytes.NewReader(zipped.Bytes()[:100]), out); err == nil {
		t.Error("a truncated layer is imported")
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Error("a truncated layer leaves a blob")
	}
}

func TestOwnedDirs(t *testing.T) {
	data, _, err := built(t, spec.Layer{OwnedDirs: []spec.OwnedDir{{Name: "/home", Mode: "0755"}, {Name: "home/me", Mode: "0700", UID: 7, GID: 8}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"5 0755 0:0 ./", "5 0755 0:0 ./home/", "5 0700 7:8 ./home/me/"}
	if got := entries(t, bytes.NewReader(data)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, d := range []spec.OwnedDir{{Name: "../x"}, {Name: "x", Mode: "rwx"}} {
		if _, _, err := built(t, spec.Layer{OwnedDirs: []spec.OwnedDir{d}}); err == nil {
			t.Errorf("%+v is no error", d)
		}
	}
}
