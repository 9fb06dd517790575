package archive

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

var errTrailing = errors.New("there is something other than gzip or zeros after its end")

// gzipReader reads gzip members up to the end or to padding. RFC 1952 knows none, yet
// tapes and block devices leave some, and gzip(1) and Python take it.
type gzipReader struct {
	in *bufio.Reader
	*gzip.Reader
}

func newGzipReader(in *bufio.Reader) (*gzipReader, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipReader{in, z}, nil
}

// WriteTo hides that of the gzip.Reader, which would end after a member.
func (g *gzipReader) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{g})
}

func (g *gzipReader) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if err != io.EOF {
		return n, err
	}
	next, err := g.in.Peek(1)
	if err != nil {
		return n, err
	}
	if next[0] == 0 {
		return n, g.padding()
	}
	if err := g.Reset(g.in); err != nil {
		if errors.Is(err, gzip.ErrHeader) {
			err = errTrailing
		}
		return n, err
	}
	g.Multistream(false)
	return n, nil
}

// padding makes sure that only zeros are left, and returns io.EOF then.
func (g *gzipReader) padding() error {
	for {
		b, err := g.in.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return errTrailing
		}
	}
}
