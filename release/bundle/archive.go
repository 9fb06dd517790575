package bundle

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// writeArchive writes a gzip-compressed tar (POSIX ustar, pax for longer names) of entries below folder and returns its size
// in bytes and its SHA-256. Nothing but names, bytes and the executable bit gets in.
func writeArchive(out io.Writer, folder string, entries []entry) (int64, []byte, error) {
	sum := sha256.New()
	counter := &countingWriter{out: io.MultiWriter(out, sum)}
	compressor, err := gzip.NewWriterLevel(counter, gzip.BestCompression)
	if err != nil {
		return 0, nil, err
	}
	archive := tar.NewWriter(compressor)
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for _, e := range sorted {
		if err := e.appendTo(archive, folder); err != nil {
			return 0, nil, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	if err := errors.Join(archive.Close(), compressor.Close()); err != nil {
		return 0, nil, err
	}
	return counter.size, sum.Sum(nil), nil
}

func (e entry) appendTo(archive *tar.Writer, folder string) error {
	file, err := os.Open(e.source)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     folder + "/" + e.name,
		Size:     info.Size(),
		Mode:     0o644,
		// Any fixed time does; GNU tar calls the epoch implausible.
		ModTime: time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
	if e.executable {
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

type countingWriter struct {
	out  io.Writer
	size int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.size += int64(n)
	return n, err
}
