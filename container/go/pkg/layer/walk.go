package layer

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxStagedLinks is how many symbolic links in a row are taken for staging.
const maxStagedLinks = 40

// walk adds the directory at source and all that is in it, in sorted order.
func (o *own) walk(name, source string, info os.FileInfo) error {
	w := &walker{own: o, top: source}
	return w.dir(name, "", source, info, nil)
}

type walker struct {
	*own
	top string // directory that the layer's description names
}

// dir adds one directory. rel is its path below w.top; above holds the directories
// that it lies in, to notice a symbolic link that leads back to one.
func (w *walker) dir(name, rel, source string, info os.FileInfo, above []os.FileInfo) error {
	for _, a := range above {
		if os.SameFile(a, info) {
			return fmt.Errorf("input directory %s: %s leads back to a directory that contains it", w.top, source)
		}
	}
	h := tar.Header{Typeflag: tar.TypeDir, Mode: w.modes.walkedDir(), ModTime: w.tree.mtime}
	if name != w.root {
		if _, err := w.add(name, h, source); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return fmt.Errorf("reading input directory: %w", err)
	}
	above = append(above, info)
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(path.Join(name, e.Name()), path.Join(rel, e.Name()), filepath.Join(source, e.Name()), e, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(name, rel, source string, e fs.DirEntry, above []os.FileInfo) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("input directory %s (does a symbolic link dangle?): %w", w.top, err)
	}
	if e.Type()&fs.ModeSymlink != 0 {
		target, err := ownLink(rel, source)
		if err != nil {
			return fmt.Errorf("input directory %s: %w", w.top, err)
		}
		if target != "" {
			h := tar.Header{Typeflag: tar.TypeSymlink, Linkname: target, Mode: linkMode, ModTime: w.tree.mtime}
			_, err := w.add(name, h, source)
			return err
		}
	}
	if info.IsDir() {
		return w.dir(name, rel, source, info, above)
	}
	return w.file(name, source, info)
}

// ownLink tells a symbolic link that belongs to the directory from one that stages
// it. The former is relative and stays inside; its target is returned. The latter is
// absolute: Bazel's sandbox makes each file of a directory such a link to the real
// one, which in turn may be a link of the former kind. "" means that the content of
// the file counts.
func ownLink(rel, source string) (string, error) {
	for range maxStagedLinks {
		target, err := os.Readlink(source)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.ToSlash(target)
			inside := path.Join(path.Dir(rel), target)
			if inside == ".." || strings.HasPrefix(inside, "../") {
				return "", nil
			}
			return target, nil
		}
		info, err := os.Lstat(target)
		if err != nil {
			return "", err
		}
		staged := strings.HasSuffix(filepath.ToSlash(target), "/"+rel)
		if info.Mode()&fs.ModeSymlink == 0 || !staged {
			return "", nil
		}
		source = target
	}
	return "", fmt.Errorf("%s: too many symbolic links", source)
}
