package dockersave

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// layer is a layer blob and what is known about it.
type layer struct {
	path   string
	meta   spec.LayerMetadata
	digest v1.Hash
	diffID v1.Hash
}

func readLayer(path, metadata string) (*layer, error) {
	m, err := spec.Read[spec.LayerMetadata](metadata)
	if err != nil {
		return nil, err
	}
	return newLayer(path, metadata, m)
}

// newLayer checks the metadata of a layer, which is from the file called metadata.
func newLayer(path, metadata string, m spec.LayerMetadata) (*layer, error) {
	l := &layer{path: path, meta: m}
	var err error
	if l.digest, err = v1.NewHash(m.Digest); err != nil {
		return nil, fmt.Errorf("%s: digest: %w", metadata, err)
	}
	if l.diffID, err = v1.NewHash(m.DiffID); err != nil {
		return nil, fmt.Errorf("%s: diff_id: %w", metadata, err)
	}
	if path == "" {
		return nil, fmt.Errorf("the blob of layer %s is not at hand, and an archive needs all layers; "+
			"a foreign layer can only be had from %v", m.Digest, m.URLs)
	}
	return l, nil
}

// source describes a foreign layer for LayerSources.
func (l *layer) source() (v1.Descriptor, bool) {
	name := types.MediaType(l.meta.MediaType)
	d := v1.Descriptor{MediaType: name, Size: l.meta.Size, Digest: l.digest, URLs: l.meta.URLs}
	return d, len(l.meta.URLs) > 0 || !name.IsDistributable()
}

// copyPlain writes the layer's tar, whatever its blob is compressed with.
func (l *layer) copyPlain(ctx context.Context, w io.Writer) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, _, err := archive.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	defer plain.Close()
	return l.copy(ctx, w, plain, l.meta.UncompressedSize, l.diffID)
}

// copyBlob writes the layer's blob as it is.
func (l *layer) copyBlob(ctx context.Context, w io.Writer) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.copy(ctx, w, f, l.meta.Size, l.digest)
}

// copy writes size bytes and makes sure that there are no more or less of them and
// that they are the ones that were promised.
func (l *layer) copy(ctx context.Context, w io.Writer, r io.Reader, size int64, digest v1.Hash) error {
	hash := sha256.New()
	// One byte more than expected tells that there is too much.
	bounded := io.LimitReader(&contextReader{ctx, r}, size+1)
	n, err := io.Copy(io.MultiWriter(&limitWriter{w, size}, hash), bounded)
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	got := hex.EncodeToString(hash.Sum(nil))
	if n != size || got != digest.Hex {
		return fmt.Errorf("%w: %s should be %d bytes with digest %s once read; it was changed after it was built: "+
			"build it again", ErrDamaged, l.path, size, digest)
	}
	return nil
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// limitWriter swallows what exceeds left bytes.
type limitWriter struct {
	w    io.Writer
	left int64
}

func (l *limitWriter) Write(p []byte) (int, error) {
	keep := p[:min(int64(len(p)), l.left)]
	n, err := l.w.Write(keep)
	l.left -= int64(n)
	if err != nil {
		return n, err
	}
	return len(p), nil
}
