package dockersave

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// testLayer is a layer on disk.
type testLayer struct {
	blob, metadata string
	plain          []byte
	meta           spec.LayerMetadata
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func digest(t *testing.T, data []byte) string {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// makeLayer makes a layer with one file of that name.
func makeLayer(t *testing.T, name, compression string) testLayer {
	t.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 5}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "text\n")
	w.Close()
	blob, mediaType := plain.Bytes(), "application/vnd.docker.image.rootfs.diff.tar"
	var packed bytes.Buffer
	switch compression {
	case "gzip":
		z := gzip.NewWriter(&packed)
		z.Write(blob)
		z.Close()
		blob, mediaType = packed.Bytes(), mediaType+".gzip"
	case "zstd":
		z, err := zstd.NewWriter(&packed)
		if err != nil {
			t.Fatal(err)
		}
		z.Write(blob)
		z.Close()
		blob, mediaType = packed.Bytes(), "application/vnd.oci.image.layer.v1.tar+zstd"
	}
	l := testLayer{blob: write(t, name, blob), plain: plain.Bytes(), meta: spec.LayerMetadata{
		Version: spec.Version, MediaType: mediaType, Digest: digest(t, blob), Size: int64(len(blob)),
		DiffID: digest(t, plain.Bytes()), UncompressedSize: int64(plain.Len()),
	}}
	l.describe(t)
	return l
}

// describe writes the metadata.
func (l *testLayer) describe(t *testing.T) {
	t.Helper()
	data, err := json.Marshal(l.meta)
	if err != nil {
		t.Fatal(err)
	}
	l.metadata = write(t, "metadata.json", data)
}

// makeImage makes an image; history is JSON.
func makeImage(t *testing.T, tag, history string, layers ...testLayer) spec.TarballImage {
	t.Helper()
	i := spec.TarballImage{Tag: tag}
	diffIDs := []string{}
	for _, l := range layers {
		i.Layers = append(i.Layers, l.blob)
		i.Metadata = append(i.Metadata, l.metadata)
		diffIDs = append(diffIDs, l.meta.DiffID)
	}
	list, err := json.Marshal(diffIDs)
	if err != nil {
		t.Fatal(err)
	}
	i.Config = write(t, "config.json", fmt.Appendf(nil, `{"architecture":"amd64","created":"1970-01-01T00:00:00Z","history":%s,`+
		`"os":"linux","rootfs":{"type":"layers","diff_ids":%s},"config":{"Cmd":["/x"]}}`, history, list))
	return i
}

// hexID is the image id.
func hexID(t *testing.T, i spec.TarballImage) string {
	t.Helper()
	data, err := os.ReadFile(i.Config)
	if err != nil {
		t.Fatal(err)
	}
	return digest(t, data)[len("sha256:"):]
}

func archiveOf(t *testing.T, format string, images ...spec.TarballImage) spec.Tarball {
	t.Helper()
	return spec.Tarball{Version: spec.Version, Target: "//p:x", Format: format, Images: images}
}

func bytesOf(t *testing.T, archive spec.Tarball) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(t.Context(), &out, archive); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// list reads an archive: names in order, and contents.
func list(t *testing.T, data []byte) ([]string, map[string]string) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(data))
	var names []string
	contents := map[string]string{}
	for {
		h, err := r.Next()
		if err == io.EOF {
			return names, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || h.Mode != 0o644 || h.Uid != 0 || h.Gid != 0 || h.ModTime.Unix() != 0 || h.Format != tar.FormatUSTAR {
			t.Errorf("entry %+v is not a plain ustar file", h)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		contents[h.Name] = string(text)
	}
}

// nameOf is the name of the file in a layer that makeLayer made, plain or gzip.
func nameOf(t *testing.T, content string) string {
	t.Helper()
	var in io.Reader = strings.NewReader(content)
	if z, err := gzip.NewReader(strings.NewReader(content)); err == nil {
		in = z
	}
	h, err := tar.NewReader(in).Next()
	if err != nil {
		t.Fatal(err)
	}
	return h.Name
}
