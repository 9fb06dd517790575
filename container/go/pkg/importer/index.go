package importer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// maxLinks bounds how many links in a row are followed.
const maxLinks = 8

// section is where the content of a file lies in a plain tar.
type section struct{ offset, size int64 }

// index knows where the files of a plain tar are. Nothing is ever unpacked to a name
// that an archive gives.
type index struct {
	file  *os.File
	files map[string]section
	links map[string]string
}

// newIndex reads the headers of a tar.
func newIndex(f *os.File) (*index, error) {
	x := &index{file: f, files: map[string]section{}, links: map[string]string{}}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it is not a tar, or is damaged: %w", err)
		}
		name := path.Clean(h.Name)
		// Where a name occurs again the last counts, as when a tar is unpacked.
		delete(x.files, name)
		delete(x.links, name)
		switch h.Typeflag {
		case tar.TypeReg:
			// The reader takes no more of the file than the header.
			offset, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			x.files[name] = section{offset, h.Size}
		case tar.TypeLink:
			x.links[name] = path.Clean(h.Linkname)
		case tar.TypeSymlink: // how old versions of docker wrote a layer again
			x.links[name] = path.Join(path.Dir(name), h.Linkname)
		}
	}
}

// open returns the content of a file and its size in bytes.
func (x *index) open(name string) (*io.SectionReader, error) {
	at := path.Clean(name)
	for range maxLinks {
		if s, ok := x.files[at]; ok {
			return io.NewSectionReader(x.file, s.offset, s.size), nil
		}
		next, ok := x.links[at]
		if !ok || strings.HasPrefix(next, "../") {
			break
		}
		at = next
	}
	return nil, fmt.Errorf("it has no file %q", name)
}

// read returns the content of a file that has to be small.
func (x *index) read(name string, limit int64) ([]byte, error) {
	s, err := x.open(name)
	if err != nil {
		return nil, err
	}
	if s.Size() > limit {
		return nil, fmt.Errorf("its %s has %d bytes, which is more than can be right", name, s.Size())
	}
	return io.ReadAll(s)
}
