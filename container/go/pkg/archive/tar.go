package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Tar is a tar that can be read more than once. A compressed one is kept
// decompressed in a temporary file until it is closed, so memory does not grow
// with its size.
type Tar struct {
	name    string
	content *io.SectionReader
	file    *os.File // holds the content; nil where somebody else owns it
	spooled bool
}

// OpenTar opens the archive at path. tempDir is where a compressed one is spooled.
func OpenTar(ctx context.Context, path, tempDir string) (*Tar, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening archive: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("opening archive %s: not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	t, err := newTar(ctx, path, io.NewSectionReader(f, 0, info.Size()), tempDir)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if t.spooled {
		return t, f.Close()
	}
	t.file = f
	return t, nil
}

// newTar reads content, which is called name in messages.
func newTar(ctx context.Context, name string, content *io.SectionReader, tempDir string) (*Tar, error) {
	r, format, err := NewReader(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer r.Close()
	if format == Plain {
		return &Tar{name: name, content: content}, nil
	}
	spool, err := os.CreateTemp(tempDir, ".spool-*.tar")
	if err != nil {
		return nil, fmt.Errorf("making room to decompress %s: %w", name, err)
	}
	size, err := Copy(ctx, spool, r)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), spool.Close(), os.Remove(spool.Name()))
	}
	return &Tar{name: name, content: io.NewSectionReader(spool, 0, size), file: spool, spooled: true}, nil
}

// Close frees what the archive occupies.
func (t *Tar) Close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	if t.spooled {
		err = errors.Join(err, os.Remove(t.file.Name()))
	}
	return err
}

// Walk calls fn for each member in the archive's order, with a reader of its
// content (Header.Size bytes), which is only good during the call. What fn leaves
// unread is skipped without being read.
// Errors name the archive, those about one member name it too. Nothing but zeros
// may follow the archive's end.
func (t *Tar) Walk(ctx context.Context, fn func(m Member, content io.Reader) error) error {
	section := io.NewSectionReader(t.content, 0, t.content.Size())
	tr := tar.NewReader(section)
	last := "the start"
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return t.checkEnd(ctx, section)
		}
		if err != nil {
			return fmt.Errorf("%s: reading the header after %s (not a tar, truncated, or sizes that lie?): %w", t.name, last, err)
		}
		last = fmt.Sprintf("member %q", h.Name)
		m, ok, err := newMember(h)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if !ok {
			continue
		}
		if err := fn(m, memberReader{tr, t.name, h.Name, m.Header.Size}); err != nil {
			return err
		}
	}
}

func (t *Tar) checkEnd(ctx context.Context, rest io.Reader) error {
	if _, err := Copy(ctx, zeros{}, rest); err != nil {
		return fmt.Errorf("%s: after the archive's end: %w", t.name, err)
	}
	return nil
}

// memberReader names the archive and the member in errors.
type memberReader struct {
	r            io.Reader
	name, member string
	size         int64
}

// Size is how many bytes there are to read.
func (m memberReader) Size() int64 { return m.size }

func (m memberReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: member %q (truncated, or a size that lies?): %w", m.name, m.member, err)
	}
	return n, err
}

// zeros is a writer that takes nothing else.
type zeros struct{}

var errGarbage = errors.New("there is something other than zeros; it may be several archives in one file")

func (zeros) Write(p []byte) (int, error) {
	for i, b := range p {
		if b != 0 {
			return i, errGarbage
		}
	}
	return len(p), nil
}

const copyBuffer = 128 << 10

// Copy copies from src to dst until its end or until ctx is done. A src that says its
// Size, as members of a Tar do, costs no more memory than that.
func Copy(ctx context.Context, dst io.Writer, src io.Reader) (int64, error) {
	var total int64
	size := int64(copyBuffer)
	if s, ok := src.(interface{ Size() int64 }); ok {
		size = min(size, s.Size()+1) // one more, so that its end shows as well
	}
	buf := make([]byte, size)
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := src.Read(buf)
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				return total, werr
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
