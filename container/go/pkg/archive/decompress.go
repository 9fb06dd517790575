// Package archive reads archives that others made: tars and Debian packages, plain
// or compressed, told apart by their first bytes and never by their names. What it
// returns is checked: no name or hard link leads out of the archive.
package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// Format is how a file is compressed.
type Format string

// Formats that NewReader knows.
const (
	Plain Format = "plain"
	Gzip  Format = "gzip"
	Xz    Format = "xz"
	Bzip2 Format = "bzip2"
	Zstd  Format = "zstd"
)

// maxWindow bounds, in bytes, how far xz and zstd may look back, which is what they
// take memory for whatever the size of the archive. It is what the zstd program accepts
// unless told otherwise, and twice what xz -9 asks for.
const maxWindow = 128 << 20

var errWindow = fmt.Errorf("reading it would take more than %d MiB of memory; compress it anew, "+
	"with zstd without --long or with xz at any level", maxWindow>>20)

const readBuffer = 64 << 10

var magics = []struct {
	format Format
	magic  []byte
}{
	{Gzip, []byte{0x1f, 0x8b}},
	{Xz, []byte{0xfd, '7', 'z', 'X', 'Z', 0}},
	{Bzip2, []byte("BZh")},
	{Zstd, []byte{0x28, 0xb5, 0x2f, 0xfd}},
}

// NewReader tells how r is compressed and returns a reader of the plain bytes.
// Several compressed streams in a row are read as one, and zeros after gzip and xz are
// padding. The caller closes the result, which does not close r.
func NewReader(r io.Reader) (io.ReadCloser, Format, error) {
	buffered := bufio.NewReaderSize(r, readBuffer)
	format, err := sniff(buffered)
	if err != nil {
		return nil, "", err
	}
	plain, err := open(buffered, format)
	if err != nil {
		return nil, format, damaged(format, err)
	}
	return &reader{plain, format}, format, nil
}

func sniff(r *bufio.Reader) (Format, error) {
	start, err := r.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	for _, m := range magics {
		if bytes.HasPrefix(start, m.magic) {
			return m.format, nil
		}
	}
	return Plain, nil
}

func open(r *bufio.Reader, format Format) (io.ReadCloser, error) {
	switch format {
	case Gzip:
		return newGzipReader(r)
	case Xz:
		x, err := xz.NewReader(r, maxWindow)
		return io.NopCloser(x), err
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// reader says of every error what was being read.
type reader struct {
	io.ReadCloser
	format Format
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF && r.format != Plain {
		err = damaged(r.format, err)
	}
	return n, err
}

func damaged(format Format, err error) error {
	if errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return fmt.Errorf("decompressing %s: %w", format, errWindow)
	}
	return fmt.Errorf("decompressing %s (truncated or damaged?): %w", format, err)
}
