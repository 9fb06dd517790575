package flatten

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// member is a tar member in short: "d a" a folder, "f a=text" a file, "l a->b" a
// symbolic and "h a->b" a hard link, "c a" a device.
func member(t *testing.T, w *tar.Writer, text string) {
	t.Helper()
	kind, name, _ := strings.Cut(text, " ")
	h := &tar.Header{Mode: 0o644}
	content := ""
	switch kind {
	case "d":
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
	case "f":
		name, content, _ = strings.Cut(name, "=")
		h.Typeflag, h.Size = tar.TypeReg, int64(len(content))
	case "l":
		h.Typeflag = tar.TypeSymlink
		name, h.Linkname, _ = strings.Cut(name, "->")
	case "h":
		h.Typeflag = tar.TypeLink
		name, h.Linkname, _ = strings.Cut(name, "->")
	case "c":
		h.Typeflag = tar.TypeChar
	default:
		t.Fatalf("no such member: %q", text)
	}
	h.Name = name
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
}

// layer writes a tar of the members, which commas separate; every other is gzip.
func layer(t *testing.T, dir string, n int, members string) string {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, text := range strings.Split(members, ",") {
		if text != "" {
			member(t, w, text)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n%2 == 1 {
		plain := bytes.Clone(data.Bytes())
		data.Reset()
		z := gzip.NewWriter(&data)
		z.Write(plain)
		z.Close()
	}
	path := filepath.Join(dir, fmt.Sprintf("layer%d.tar", n))
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// short is a tar in the form of layer's members.
func short(t *testing.T, r io.Reader) string {
	t.Helper()
	var members []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(members, ",")
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, map[byte]string{
			tar.TypeDir: "d " + h.Name, tar.TypeReg: "f " + h.Name + "=" + string(content), tar.TypeChar: "c " + h.Name,
			tar.TypeSymlink: "l " + h.Name + "->" + h.Linkname, tar.TypeLink: "h " + h.Name + "->" + h.Linkname,
		}[h.Typeflag])
	}
}

func TestWrite(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers []string
		want   string
	}{
		{"none", nil, ""},
		{"one", []string{"d ./,d ./b,f ./b/x=1,l ./a->b/x,c ./c"}, "d ./,l a->b/x,d b/,c c,f b/x=1"},
		{"an upper file replaces", []string{"f a=old,f b=1", "f a=new"}, "f b=1,f a=new"},
		{"a later member replaces", []string{"f a=old,f a=new"}, "f a=new"},
		{"a folder keeps what is in it", []string{"d a,f a/x=1", "d a,f a/y=2"}, "d a/,f a/x=1,f a/y=2"},
		{"a file replaces a folder", []string{"d a,f a/x=1", "f a=2"}, "f a=2"},
		{"a folder replaces a file", []string{"f a=2", "d a,f a/x=1"}, "d a/,f a/x=1"},
		{"whiteout of a file", []string{"f a=1,f b=2", "f .wh.a="}, "f b=2"},
		{"whiteout of a folder", []string{"d a,f a/x=1,f b=2", "f .wh.a="}, "f b=2"},
		{"whiteout of nothing", []string{"f b=2", "f .wh.a=,f x/.wh.y="}, "f b=2"},
		{"whiteout below a file", []string{"f b=2", "f b/.wh.y="}, "f b=2"},
		{"a whiteout spares its own layer, in any order", []string{"d a,f a/x=1", "d a,f a/y=2,f .wh.a="}, "d a/,f a/y=2"},
		{"a whiteout spares upper layers", []string{"f a=1", "f .wh.a=", "f a=3"}, "f a=3"},
		{"opaque", []string{"d a,f a/x=1,d a/d,f a/d/z=1,f b=2", "d a,f a/y=2,f a/.wh..wh..opq="}, "d a/,f b=2,f a/y=2"},
		{"opaque root", []string{"f a=1", "f .wh..wh..opq=,f b=2"}, "f b=2"},
		{"opaque nothing", []string{"f a=1", "f x/.wh..wh..opq="}, "f a=1"},
		{"what belongs to AUFS", []string{"d .wh..wh.plnk,f .wh..wh.plnk/1.2=x,f .wh..wh.aufs=,f a=1"}, "f a=1"},
		{"a link in the layer", []string{"f a=1,h b->a,h c->b"}, "f a=1,h b->a,h c->a"},
		{"a link before its target in the order of names", []string{"f z=1,h a->z"}, "f a=1,h z->a"},
		{"a link from above", []string{"f z=1", "h a->z"}, "f a=1,h z->a"},
		{"a link outlives its target", []string{"f a=1,h b->a", "f .wh.a="}, "f b=1"},
		{"a link to what is replaced above", []string{"f a=1", "h b->a", "f a=2"}, "f b=1,f a=2"},
		{"a link to a symbolic link", []string{"l a->x,h b->a"}, "l a->x,h b->a"},
		{"through a symbolic link", []string{"d usr,d usr/lib,l lib->usr/lib", "f lib/x=1"}, "l lib->usr/lib,d usr/,d usr/lib/,f usr/lib/x=1"},
		{"through an absolute one", []string{"d usr,d usr/lib,d a,l a/lib->/usr/lib", "f a/lib/x=1"}, "d a/,l a/lib->/usr/lib,d usr/,d usr/lib/,f usr/lib/x=1"},
		{"through one with many dots", []string{"d d,l a->d" + strings.Repeat("/.", 2000) + ",f a/x=1"},
			"l a->d" + strings.Repeat("/.", 2000) + ",d d/,f d/x=1"},
		{"not out of the image", []string{"l up->../../../etc", "f up/x=1"}, "l up->../../../etc,f etc/x=1"},
		{"whiteout through a symbolic link", []string{"d usr,f usr/x=1,l l->usr", "f l/.wh.x="}, "l l->usr,d usr/"},
		{"folders that none describes", []string{"f a/b/c=1"}, "f a/b/c=1"},
		{"names with slashes", []string{"f /a=1", "f ./a=2"}, "f a=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			var layers []string
			for n, members := range c.layers {
				layers = append(layers, layer(t, dir, n, members))
			}
			var out bytes.Buffer
			if err := Write(context.Background(), &out, layers, dir); err != nil {
				t.Fatal(err)
			}
			if got := short(t, &out); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != len(layers) {
				t.Errorf("temporary files are left: %v (%v)", left, err)
			}
		})
	}
}

func TestWriteErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers []string
		want   string
	}{
		{"a link to nothing", []string{"f a=1", "h b->x"}, `layer 2 of 2, layer1.tar: member "b": hard link to a file that is not there: "x"`},
		{"a link to a folder", []string{"d a,h b->a"}, `hard link to a file that is not there: "a"`},
		{"below a file", []string{"f a=1,f a/b=2"}, `member "a/b": a: not a directory`},
		{"a loop", []string{"l a->b,l b->a,f a/x=1"}, "too many levels of symbolic links"},
		{"links that lead far around", []string{strings.ReplaceAll("l a->bDOTS,l b->cDOTS,l c->dDOTS,d d,f a/x=1", "DOTS", strings.Repeat("/.", 2000))},
			"too many levels of symbolic links"},
		{"out of the image", []string{"f ../x=1"}, "leads out of the archive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			var layers []string
			for n, members := range c.layers {
				layers = append(layers, layer(t, dir, n, members))
			}
			err := Write(context.Background(), io.Discard, layers, dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
