package layer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// own adds what the layer has of its own: all but archives.
type own struct {
	ctx   context.Context
	tree  *tree
	modes modes
	root  string // prefix of everything, "" or, for Windows, "Files"
	buf   []byte // for the contents of files

	attributes map[string]spec.Attributes // by place, "" for all others
}

// setAttributes takes the exceptions of the layer's description.
func (o *own) setAttributes(list []spec.Attributes) error {
	o.attributes = map[string]spec.Attributes{}
	for _, a := range list {
		name := ""
		if a.Name != "" {
			var err error
			if name, err = o.place("attributes of", a.Name); err != nil {
				return err
			}
		}
		if _, err := parseModes(a.Mode); err != nil {
			return err
		}
		o.attributes[name] = a
	}
	return nil
}

// add is tree.add with the path's own mode and owner, if it has them.
func (o *own) add(name string, h tar.Header, origin string) (bool, error) {
	a, ok := o.attributes[name]
	if !ok {
		a, ok = o.attributes[""]
	}
	if ok {
		h.Uid, h.Gid, h.Uname, h.Gname = a.UID, a.GID, a.User, a.Group
		if m, err := parseModes(a.Mode); err == nil && m.fixed && h.Typeflag != tar.TypeSymlink {
			h.Mode = m.mode
		}
	}
	return o.tree.add(name, h, origin)
}

const fileBuffer = 256 << 10

// rootDirs are what the layers of Windows images have at their top.
var rootDirs = [...]string{"Files", "Hives"}

// place is where a path of the layer's description lies in the tar.
func (o *own) place(what, name string) (string, error) {
	rel, err := cleanPath(what, name)
	if err != nil {
		return "", err
	}
	return path.Join(o.root, rel), nil
}

func (o *own) files(files []spec.File) error {
	o.buf = make([]byte, fileBuffer)
	for _, f := range files {
		if err := o.ctx.Err(); err != nil {
			return err
		}
		name, err := o.place("destination", f.Destination)
		if err != nil {
			return err
		}
		info, err := os.Stat(f.Source)
		switch {
		case err != nil:
			return fmt.Errorf("reading input for ./%s: %w", name, err)
		case info.IsDir():
			err = o.walk(name, f.Source, info)
		default:
			err = o.file(name, f.Source, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file adds the regular file at source, which info describes.
func (o *own) file(name, source string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("input %s for ./%s is neither a file nor a directory", source, name)
	}
	if name == o.root {
		return fmt.Errorf("input %s has no name in the image: its destination is the root", source)
	}
	executable := info.Mode()&0o111 != 0
	ok, err := o.add(name, tar.Header{
		Typeflag: tar.TypeReg, Size: info.Size(), Mode: o.modes.file(executable), ModTime: o.tree.mtime,
	}, source)
	if err != nil || !ok {
		return err
	}
	return o.content(source, info.Size())
}

var errChanged = errors.New("its size changed while it was being read; is something still writing it?")

// content writes the size bytes that are the file at source.
func (o *own) content(source string, size int64) error {
	f, err := os.Open(source)
	if err != nil {
		return fmt.Errorf("reading input: %w", err)
	}
	defer f.Close()
	for left := size; ; {
		if err := o.ctx.Err(); err != nil {
			return err
		}
		// One byte more than there should be, so that a small file takes one read.
		n, err := f.Read(o.buf[:min(left+1, int64(len(o.buf)))])
		if left -= int64(n); left < 0 {
			return fmt.Errorf("input %s: %w", source, errChanged)
		}
		if _, werr := o.tree.tw.Write(o.buf[:n]); werr != nil {
			return fmt.Errorf("writing %s to the layer: %w", source, werr)
		}
		switch {
		case left == 0 && (err == nil && n < len(o.buf) || err == io.EOF):
			return nil
		case err == io.EOF:
			return fmt.Errorf("input %s: %w", source, errChanged)
		case err != nil:
			return fmt.Errorf("reading input: %w", err)
		}
	}
}

func (o *own) emptyFiles(names []string) error {
	for _, n := range names {
		name, err := o.place("empty file", n)
		if err != nil {
			return err
		}
		if name == o.root {
			return fmt.Errorf("empty file %q needs a name below the root", n)
		}
		h := tar.Header{Typeflag: tar.TypeReg, Mode: o.modes.file(false), ModTime: o.tree.mtime}
		if _, err := o.add(name, h, "empty_files"); err != nil {
			return err
		}
	}
	return nil
}

func (o *own) emptyDirs(names []string) error {
	var dirs []string
	for _, n := range names {
		name, err := o.place("empty directory", n)
		if err != nil {
			return err
		}
		dirs = append(dirs, name)
	}
	if o.root != "" {
		dirs = append(dirs, rootDirs[:]...)
	}
	for _, name := range dirs {
		h := tar.Header{Typeflag: tar.TypeDir, Mode: o.modes.emptyDir(), ModTime: o.tree.mtime}
		if _, err := o.add(name, h, "empty_dirs"); err != nil {
			return err
		}
	}
	return nil
}

func (o *own) ownedDirs(dirs []spec.OwnedDir) error {
	for _, d := range dirs {
		name, err := o.place("directory", d.Name)
		if err != nil {
			return err
		}
		m, err := parseModes(d.Mode)
		if err != nil {
			return err
		}
		h := tar.Header{Typeflag: tar.TypeDir, Mode: m.emptyDir(), Uid: d.UID, Gid: d.GID, ModTime: o.tree.mtime}
		if _, err := o.tree.add(name, h, "owned_dirs"); err != nil {
			return err
		}
	}
	return nil
}

func (o *own) symlinks(links []spec.Symlink) error {
	for _, l := range links {
		name, err := o.place("symlink", l.Name)
		if err != nil {
			return err
		}
		if name == o.root || l.Target == "" {
			return fmt.Errorf("symlink %q -> %q needs both a name and a target", l.Name, l.Target)
		}
		h := tar.Header{Typeflag: tar.TypeSymlink, Linkname: l.Target, Mode: linkMode, ModTime: o.tree.mtime}
		if _, err := o.tree.add(name, h, "symlinks"); err != nil {
			return err
		}
	}
	return nil
}
