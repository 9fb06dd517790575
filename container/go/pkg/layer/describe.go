package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/compress"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// Describe writes the metadata of the layer archive at in. With out.Blob it also
// writes a gzip blob: a copy of one that is gzip already, else made from what in
// holds; the metadata is then about that blob. On an error no output exists.
func Describe(ctx context.Context, in string, out Outputs) error {
	if err := describe(ctx, in, out); err != nil {
		return fmt.Errorf("describing layer %s: %w", in, err)
	}
	return nil
}

func describe(ctx context.Context, in string, out Outputs) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	r, format, err := archive.NewReader(f)
	if err != nil {
		return err
	}
	defer r.Close()
	if out.Blob != "" && format != archive.Gzip {
		return writeBlob(out, spec.Compression{Algorithm: compress.Gzip}, func(w io.Writer) error {
			_, err := archive.Copy(ctx, w, r)
			return err
		})
	}
	mediaType, ok := map[archive.Format]string{
		archive.Gzip: MediaTypeGzip, archive.Zstd: MediaTypeZstd, archive.Plain: MediaTypePlain,
	}[format]
	if !ok {
		return fmt.Errorf("no media type for a layer compressed with %s; ask for a gzip blob of it, or recompress it", format)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return stage(func(s *staging) error {
		file, err := s.create(out.Blob)
		if err != nil {
			return err
		}
		blob, raw := newDigester(file), newDigester(io.Discard)
		if err := expand(ctx, raw, io.TeeReader(f, blob)); err != nil {
			return err
		}
		return s.describe(out, mediaType, blob, raw)
	})
}

// expand writes the plain bytes of in to w, from a goroutine of its own.
func expand(ctx context.Context, w io.Writer, in io.Reader) error {
	r, _, err := archive.NewReader(in)
	if err != nil {
		return err
	}
	async, err := compress.NewWriter(w, compress.Options{Algorithm: compress.None})
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = archive.Copy(ctx, async, r)
	if err == nil {
		// Whatever the decompressor left is part of the blob nevertheless.
		_, err = archive.Copy(ctx, io.Discard, in)
	}
	return errors.Join(async.Close(), err, r.Close())
}

// Decompress writes the plain tar of the blob at in: gzip, zstd or any other format
// that package archive knows, or a copy of one that is plain. On an error out does
// not exist.
func Decompress(ctx context.Context, in, out string) error {
	err := stage(func(s *staging) error {
		f, err := os.Open(in)
		if err != nil {
			return err
		}
		defer f.Close()
		w, err := s.create(out)
		if err != nil {
			return err
		}
		return expand(ctx, w, f)
	})
	if err != nil {
		return fmt.Errorf("decompressing layer %s: %w", in, err)
	}
	return nil
}
