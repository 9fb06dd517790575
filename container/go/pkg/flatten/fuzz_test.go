package flatten

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
)

// FuzzWrite merges two layers, written as the other tests write them. What comes of
// it is an error, or a tar of tame and distinct names whose hard links come after what
// they link to, and which merges to itself.
func FuzzWrite(f *testing.F) {
	for _, seed := range [][2]string{
		{"d a,f a/x=1,l b->a,h c->a/x", "f b/.wh.x=,f b/y=2"},
		{"l a->../..,f a/etc/passwd=1", "f .wh..wh..opq=,d a,f a/.wh..=1"},
		{"l a->b,l b->a,f a/x=1", "h x->../y"},
		{"f a=1,f a/b=2", "d a,d a,c a"},
		{"l a->/,f a/a/a/x=1,h y->a/x", "f .wh.a=,d y"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, lower, upper string) {
		dir := t.TempDir()
		var layers []string
		for n, members := range []string{lower, upper} {
			path := filepath.Join(dir, "layer")
			data, ok := packed(members)
			if !ok {
				return
			}
			layers = append(layers, path+string('0'+rune(n)))
			if err := os.WriteFile(layers[n], data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var merged bytes.Buffer
		if err := Write(context.Background(), &merged, layers, dir); err != nil {
			return
		}
		checkTame(t, merged.Bytes())
		again := filepath.Join(dir, "merged")
		if err := os.WriteFile(again, merged.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var twice bytes.Buffer
		if err := Write(context.Background(), &twice, []string{again}, dir); err != nil {
			t.Fatalf("what was merged cannot be: %v", err)
		}
		if first, second := short(t, &merged), short(t, &twice); first != second {
			t.Errorf("merged again\n%s\nbecomes\n%s", first, second)
		}
	})
}

// packed is a tar of members as the function member knows them; not ok if they are
// none, or none that a tar can hold.
func packed(members string) ([]byte, bool) {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for text := range strings.SplitSeq(members, ",") {
		kind, name, _ := strings.Cut(text, " ")
		h := &tar.Header{Mode: 0o644}
		content := ""
		switch kind {
		case "d":
			h.Typeflag = tar.TypeDir
		case "f":
			name, content, _ = strings.Cut(name, "=")
			h.Typeflag, h.Size = tar.TypeReg, int64(len(content))
		case "l", "h":
			h.Typeflag = map[string]byte{"l": tar.TypeSymlink, "h": tar.TypeLink}[kind]
			name, h.Linkname, _ = strings.Cut(name, "->")
		case "c":
			h.Typeflag = tar.TypeChar
		default:
			return nil, false
		}
		h.Name = name
		if w.WriteHeader(h) != nil {
			return nil, false
		}
		if _, err := io.WriteString(w, content); err != nil {
			return nil, false
		}
	}
	return data.Bytes(), w.Close() == nil
}

func checkTame(t *testing.T, merged []byte) {
	t.Helper()
	seen := map[string]bool{}
	for r := tar.NewReader(bytes.NewReader(merged)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name, absolute, err := archive.Clean(h.Name)
		if err != nil || absolute || seen[name] || strings.HasPrefix(filepath.Base(name), ".wh.") {
			t.Errorf("member %q", h.Name)
		}
		seen[name] = true
		if target, _, err := archive.Clean(h.Linkname); h.Typeflag == tar.TypeLink && (err != nil || !seen[target]) {
			t.Errorf("member %q is a hard link to %q, which is not there", h.Name, h.Linkname)
		}
	}
}
