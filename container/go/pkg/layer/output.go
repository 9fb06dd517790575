package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/compress"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// Media types of layers: Docker's (image manifest v2, schema 2) and, for what Docker
// has none, the OCI's (image-spec, layer.md).
const (
	MediaTypeGzip  = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	MediaTypePlain = "application/vnd.docker.image.rootfs.diff.tar"
	MediaTypeZstd  = "application/vnd.oci.image.layer.v1.tar+zstd"
)

// Outputs names the files to write; an empty name writes none.
type Outputs struct {
	Blob     string
	Metadata string // JSON of spec.LayerMetadata
	BlobSum  string // hex sha256 of the blob, no newline
	DiffID   string // hex sha256 of the plain tar, no newline
}

// tempDir is where there may be room for temporary files.
func (o Outputs) tempDir() string {
	for _, name := range []string{o.Blob, o.Metadata, o.BlobSum, o.DiffID} {
		if name != "" {
			return filepath.Dir(name)
		}
	}
	return os.TempDir()
}

// writeBlob writes a blob of what fill produces, and all about it.
func writeBlob(out Outputs, c spec.Compression, fill func(io.Writer) error) error {
	return stage(func(s *staging) error {
		blob, raw, err := s.compress(out.Blob, c, fill)
		if err != nil {
			return err
		}
		return s.describe(out, mediaType(c.Algorithm), blob, raw)
	})
}

func mediaType(algorithm string) string {
	switch algorithm {
	case compress.Gzip:
		return MediaTypeGzip
	case compress.Zstd:
		return MediaTypeZstd
	}
	return MediaTypePlain
}

// digester hashes and counts what goes through it.
type digester struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

func newDigester(w io.Writer) *digester { return &digester{w: w, hash: sha256.New()} }

func (d *digester) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	return n, err
}

func (d *digester) hex() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// staging holds output files under temporary names beside their own, until all of
// them are complete.
type staging struct {
	files []*os.File
	names []string // final ones
}

// stage gives fn a staging area; what fn put there becomes the outputs if it succeeds.
func stage(fn func(*staging) error) error {
	s := &staging{}
	err := fn(s)
	for _, f := range s.files {
		if cerr := f.Close(); cerr != nil && err == nil {
			err = fmt.Errorf("writing output: %w", cerr)
		}
	}
	var done []string
	for i, f := range s.files {
		if err == nil {
			if rerr := os.Rename(f.Name(), s.names[i]); rerr != nil {
				err = fmt.Errorf("writing output: %w", rerr)
			} else {
				done = append(done, s.names[i])
				continue
			}
		}
		err = errors.Join(err, os.Remove(f.Name()))
	}
	if err != nil {
		for _, name := range done {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// create begins an output file; without a name, one that goes nowhere.
func (s *staging) create(name string) (io.Writer, error) {
	if name == "" {
		return io.Discard, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return nil, fmt.Errorf("writing output: %w", err)
	}
	s.files, s.names = append(s.files, f), append(s.names, name)
	if err := f.Chmod(plainMode); err != nil {
		return nil, fmt.Errorf("writing output: %w", err)
	}
	return f, nil
}

// compress writes a blob of what fill produces, and digests it and the plain tar.
func (s *staging) compress(name string, c spec.Compression, fill func(io.Writer) error) (blob, raw *digester, err error) {
	file, err := s.create(name)
	if err != nil {
		return nil, nil, err
	}
	blob, raw = newDigester(io.Discard), newDigester(io.Discard)
	options := compress.Options{Algorithm: c.Algorithm, Level: c.Level, Raw: raw, Blob: blob}
	if c.Algorithm == compress.None {
		blob, options.Blob = raw, nil // the same bytes
	}
	w, err := compress.NewWriter(file, options)
	if err != nil {
		return nil, nil, err
	}
	err = fill(w)
	// An error of the compressor's is the cause of fill's.
	if cerr := w.Close(); cerr != nil {
		return nil, nil, fmt.Errorf("writing the layer's blob: %w", cerr)
	}
	return blob, raw, err
}

// metadataOf describes a blob.
func metadataOf(mediaType string, blob, raw *digester) spec.LayerMetadata {
	return spec.LayerMetadata{
		Version: spec.Version, MediaType: mediaType,
		Digest: "sha256:" + blob.hex(), Size: blob.size,
		DiffID: "sha256:" + raw.hex(), UncompressedSize: raw.size,
	}
}

// describe writes the outputs about a blob.
func (s *staging) describe(out Outputs, mediaType string, blob, raw *digester) error {
	metadata, err := json.Marshal(metadataOf(mediaType, blob, raw))
	if err != nil {
		return fmt.Errorf("describing the layer: %w", err)
	}
	for _, o := range []struct{ name, content string }{
		{out.Metadata, string(metadata) + "\n"}, {out.BlobSum, blob.hex()}, {out.DiffID, raw.hex()},
	} {
		w, err := s.create(o.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, o.content); err != nil {
			return fmt.Errorf("writing output: %w", err)
		}
	}
	return nil
}
