package structuretest

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/flatten"
)

const (
	maxLinks   = 40       // symbolic links on the way to a file
	maxContent = 64 << 20 // bytes of a file that is searched
)

// Files is the file system of an image: all headers, by paths without a leading slash,
// and the contents that documents check.
type Files struct {
	headers map[string]tar.Header
	content map[string][]byte
}

// ReadFiles merges the layers of an image. The files whose content the documents check
// are kept in memory. tempDir needs room for all layers, decompressed.
func ReadFiles(ctx context.Context, layers []string, configs []Config, tempDir string) (f *Files, err error) {
	merged, err := os.CreateTemp(tempDir, "files-*.tar")
	if err != nil {
		return nil, err
	}
	defer func() {
		merged.Close()
		os.Remove(merged.Name())
	}()
	buffered := bufio.NewWriterSize(merged, 1<<20)
	if err := flatten.Write(ctx, buffered, layers, tempDir); err != nil {
		return nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	f = &Files{headers: map[string]tar.Header{}, content: map[string][]byte{}}
	if err := read(merged, func(h *tar.Header, _ io.Reader) error {
		f.add(*h)
		return nil
	}); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, c := range configs {
		for _, name := range c.wanted() {
			if resolved, h, ok := f.resolve(name, true); ok && h.Typeflag == tar.TypeReg {
				wanted[resolved] = true
			}
		}
	}
	return f, read(merged, func(h *tar.Header, r io.Reader) error {
		name := clean(h.Name)
		if !wanted[name] || h.Typeflag != tar.TypeReg {
			return nil
		}
		if h.Size > maxContent {
			return fmt.Errorf("%s has %d bytes; files of more than %d are not searched", name, h.Size, maxContent)
		}
		data, err := io.ReadAll(r)
		f.content[name] = data
		return err
	})
}

func read(file *os.File, fn func(*tar.Header, io.Reader) error) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for r := tar.NewReader(file); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(h, r); err != nil {
			return err
		}
	}
}

// add adds a member, and the folders above it that no layer describes.
func (f *Files) add(h tar.Header) {
	name := clean(h.Name)
	f.headers[name] = h
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := f.headers[dir]; ok {
			return // and so are those above it
		}
		f.headers[dir] = tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}
	}
}

func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// resolve finds a path through symbolic links: those of the folders above it and, if
// follow is set, its own. A hard link becomes what it links to.
func (f *Files) resolve(name string, follow bool) (string, tar.Header, bool) {
	at, links := "", 0
	parts := strings.Split(clean(name), "/")
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		if part == ".." {
			at = clean(path.Dir(at))
			continue
		}
		next := path.Join(at, part)
		h, ok := f.headers[next]
		switch {
		case next == "" || part == "" || part == ".":
			continue
		case !ok:
			return "", tar.Header{}, false
		case h.Typeflag == tar.TypeSymlink && (follow || len(parts) > 0):
			if links++; links > maxLinks {
				return "", tar.Header{}, false
			}
			if path.IsAbs(h.Linkname) {
				at = ""
			}
			parts = append(strings.Split(h.Linkname, "/"), parts...)
			continue
		case !directory(h) && len(parts) > 0:
			return "", tar.Header{}, false
		}
		at = next
	}
	h, ok := f.headers[at]
	if at == "" && !ok {
		return "", tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}, true
	}
	if h.Typeflag == tar.TypeLink {
		at = clean(h.Linkname)
		h = f.headers[at]
	}
	return at, h, ok
}

// Lookup returns the header of a path; a symbolic link is one itself.
func (f *Files) Lookup(name string) (tar.Header, bool) {
	_, h, ok := f.resolve(name, false)
	return h, ok
}

// Content returns the content of a file that a document checks.
func (f *Files) Content(name string) ([]byte, error) {
	resolved, h, ok := f.resolve(name, true)
	if !ok {
		return nil, fmt.Errorf("%s is not there", name)
	}
	if h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("%s is no file", name)
	}
	return f.content[resolved], nil
}
