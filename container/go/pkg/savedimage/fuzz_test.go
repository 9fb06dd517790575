package savedimage_test

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/importer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/savedimage"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// FuzzSaved unpacks archives as container_image and as container_load do: of a
// configuration (DIFF_ID stands for the layer's), a manifest, a layer, and one more
// member that may be anything. Either everything is there and fits, or nothing is; and
// nothing is anywhere else.
func FuzzSaved(f *testing.F) {
	const config = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["DIFF_ID"]}}`
	const one = `[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l/layer.tar"]}]`
	for _, name := range []string{"other", "l/layer.tar", "c.json", "manifest.json", "../x", "/etc/passwd"} {
		f.Add(config, one, []byte("a layer"), name, byte(tar.TypeSymlink), "../../etc/passwd")
	}
	f.Add(config, `[{"Config":"../../etc/passwd","Layers":["/etc/passwd","o"]}]`, []byte{0x1f, 0x8b}, "o", byte(tar.TypeLink), "o")
	f.Add(config, `[{"Config":"c.json","Layers":["o"]}]`, []byte("x"), "o", byte(tar.TypeLink), "l/layer.tar")
	f.Add(`{"rootfs":{"diff_ids":[]}}`, `[{"Config":"c.json"},{"Config":"c.json"}]`, []byte{}, "d", byte(tar.TypeDir), "")
	f.Fuzz(func(t *testing.T, config, manifest string, layer []byte, name string, kind byte, target string) {
		root := t.TempDir()
		in := filepath.Join(root, "saved.tar")
		data, ok := savedWith(strings.ReplaceAll(config, "DIFF_ID", digest(t, layer)), manifest, layer, name, kind, target)
		if !ok {
			return
		}
		if err := os.WriteFile(in, data, 0o600); err != nil {
			t.Fatal(err)
		}
		dir, out, image := filepath.Join(root, "layers"), filepath.Join(root, "config.json"), filepath.Join(root, "image")
		unpacked := savedimage.Unpack(context.Background(), in, dir, out)
		imported := importer.Import(context.Background(), in, image)
		checkNames(t, root, `^(saved\.tar|layers|config\.json|image)$`)
		checkNames(t, dir, `^([0-9]{3,}\.tar\.gz|index\.json)$`)
		checkNames(t, image, `^([0-9]{3,}\.(tar\.gz|sha256)|manifest\.json|config\.json|digest)$`)
		if imported != nil && !empty(image) {
			t.Errorf("an image is there in spite of: %v", imported)
		}
		if (imported == nil) != (unpacked == nil) {
			t.Errorf("container_load: %v, container_image: %v", imported, unpacked)
		}
		if unpacked != nil {
			if _, err := os.Lstat(out); err == nil || !empty(dir) {
				t.Errorf("something is there in spite of: %v", unpacked)
			}
			return
		}
		index, err := spec.ReadArchive(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range index.Layers {
			blob, err := os.ReadFile(l.Blob)
			if err != nil || digest(t, blob) != l.Metadata.Digest {
				t.Errorf("layer %+v: %v", l, err)
			}
		}
	})
}

func digest(t *testing.T, data []byte) string {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// savedWith packs an archive; not ok if no tar can hold the member.
func savedWith(config, manifest string, layer []byte, name string, kind byte, target string) ([]byte, bool) {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	put := func(h tar.Header, content []byte) bool {
		h.Mode, h.Size = 0o644, int64(len(content))
		if w.WriteHeader(&h) != nil {
			return false
		}
		_, err := w.Write(content)
		return err == nil
	}
	ok := put(tar.Header{Name: "c.json"}, []byte(config)) &&
		put(tar.Header{Name: "l/layer.tar"}, layer) &&
		put(tar.Header{Name: "manifest.json"}, []byte(manifest)) &&
		put(tar.Header{Name: name, Typeflag: kind, Linkname: target}, nil) &&
		w.Close() == nil
	return data.Bytes(), ok
}

// empty tells whether there is nothing in a directory, if there is one.
func empty(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return len(entries) == 0
}

// checkNames checks what is in a directory, if there is one.
func checkNames(t *testing.T, dir, pattern string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !regexp.MustCompile(pattern).MatchString(e.Name()) {
			t.Errorf("there is a file %s in %s", e.Name(), dir)
		}
	}
}
