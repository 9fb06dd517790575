// Package flatten merges the layers of an image into one tar: what a container of the
// image finds as its file system. Layers are applied as the OCI image-spec says
// (layer.md, "Applying Changesets" and "Whiteouts"), with names resolved through the
// symbolic links of the layers below, as a container engine does.
package flatten

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
)

// Write writes the merged file system of layers, plain or compressed tars with the
// bottom-most first, to w. Compressed layers are kept decompressed in tempDir
// meanwhile; memory grows with the number of files, not with their sizes.
//
// First come all folders, links, devices and fifos in the order of their paths, then
// the files in the order of the layers, each hard link after what it links to. Equal
// layers give equal bytes. Names have neither a leading "./" nor a slash.
//
// Errors name the layer and the member.
func Write(ctx context.Context, w io.Writer, layers []string, tempDir string) (err error) {
	f := newFilesystem()
	var tars []*archive.Tar
	defer func() {
		for _, t := range tars {
			err = errors.Join(err, t.Close())
		}
	}()
	for n, path := range layers {
		t, err := archive.OpenTar(ctx, path, tempDir)
		if err != nil {
			return err
		}
		tars = append(tars, t)
		if err := apply(ctx, f, t, n); err != nil {
			return fmt.Errorf("layer %d of %d, %s: %w", n+1, len(layers), filepath.Base(path), err)
		}
	}
	out := tar.NewWriter(w)
	files, err := writeTree(out, f.root)
	if err != nil {
		return err
	}
	for n, t := range tars {
		if err := writeFiles(ctx, out, t, n, files); err != nil {
			return err
		}
	}
	return out.Close()
}

// apply puts the members of layer n on top of what is there.
func apply(ctx context.Context, f *filesystem, t *archive.Tar, n int) error {
	// A whiteout hides what is below its layer and nothing in it, wherever in the
	// layer it stands.
	err := t.Walk(ctx, func(m archive.Member, _ io.Reader) error {
		if w, ok := parseWhiteout(m.Name); ok {
			return f.hide(w)
		}
		return nil
	})
	if err != nil {
		return err
	}
	index := -1
	return t.Walk(ctx, func(m archive.Member, _ io.Reader) error {
		index++
		if isWhiteout(m.Name) {
			return nil
		}
		if err := f.put(m, source{layer: n, member: index}); err != nil {
			return fmt.Errorf("member %q: %w", m.Name, err)
		}
		return nil
	})
}

// writeTree writes all that has no content and returns the names of each file.
func writeTree(out *tar.Writer, root *node) (map[source][]named, error) {
	files := map[source][]named{}
	err := root.walk("", func(name string, n *node) error {
		if n.inode == nil { // a folder that no layer describes
			return nil
		}
		if n.inode.header.Typeflag == tar.TypeReg || n.inode.linked {
			files[n.inode.source] = append(files[n.inode.source], named{name, n.inode})
			if n.inode.header.Typeflag == tar.TypeReg {
				return nil
			}
			if len(files[n.inode.source]) > 1 {
				return writeLink(out, name, files[n.inode.source][0])
			}
		}
		return writeHeader(out, name, n.inode.header)
	})
	return files, err
}

// named is one of the names of an inode.
type named struct {
	name  string
	inode *inode
}

// writeFiles writes the files whose content is in layer n.
func writeFiles(ctx context.Context, out *tar.Writer, t *archive.Tar, n int, files map[source][]named) error {
	index := -1
	return t.Walk(ctx, func(m archive.Member, content io.Reader) error {
		index++
		names := files[source{layer: n, member: index}]
		if len(names) == 0 || names[0].inode.header.Typeflag != tar.TypeReg {
			return nil
		}
		if err := writeHeader(out, names[0].name, names[0].inode.header); err != nil {
			return err
		}
		if _, err := archive.Copy(ctx, out, content); err != nil {
			return fmt.Errorf("member %q: %w", m.Name, err)
		}
		for _, other := range names[1:] {
			if err := writeLink(out, other.name, names[0]); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeLink(out *tar.Writer, name string, to named) error {
	h := to.inode.header
	h.Typeflag, h.Linkname, h.Size = tar.TypeLink, to.name, 0
	return writeHeader(out, name, h)
}

func writeHeader(out *tar.Writer, name string, h tar.Header) error {
	h.Name = name
	if h.Typeflag == tar.TypeDir {
		h.Name += "/"
	}
	if name == "" {
		h.Name = "./"
	}
	if err := out.WriteHeader(&h); err != nil {
		return fmt.Errorf("writing %s: %w", h.Name, err)
	}
	return nil
}
