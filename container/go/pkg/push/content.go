package push

import (
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// content is the blob as the registry client wants it.
func (b Blob) content() distribution.Blob {
	var c distribution.Content = stream{b}
	if b.Path != "" {
		c = file{path: b.Path, size: b.Descriptor.Size}
	}
	return distribution.Blob{Digest: b.Descriptor.Digest, Content: c}
}

// verify reads the blob and compares it with its descriptor. That is for finding out what
// a registry did not like: a push has better to do than to hash what was built.
func (b Blob) verify() error {
	opened, err := b.Open()
	if err != nil {
		return err
	}
	defer opened.Close()
	digest, size, err := v1.SHA256(opened)
	if err != nil {
		return err
	}
	if want := b.Descriptor; digest != want.Digest || size != want.Size {
		return fmt.Errorf("%w: %s is %s (%d bytes), the manifest wants %s (%d bytes)", ErrStale, b.Path, digest, size, want.Digest, want.Size)
	}
	return nil
}

// file is a whole file. It opens as an *os.File, which the kernel can send.
type file struct {
	path string
	size int64
}

func (f file) Size() int64 { return f.size }

func (f file) Open(offset int64) (io.ReadCloser, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err == nil && info.Size() != f.size {
		err = fmt.Errorf("%w: %s has %d bytes, the manifest wants %d", ErrStale, f.path, info.Size(), f.size)
	}
	if err == nil {
		_, err = opened.Seek(offset, io.SeekStart)
	}
	if err != nil {
		_ = opened.Close()
		return nil, err
	}
	return opened, nil
}

// stream is a blob that can only be read from its beginning.
type stream struct{ blob Blob }

func (s stream) Size() int64 { return s.blob.Descriptor.Size }

func (s stream) Open(offset int64) (io.ReadCloser, error) {
	opened, err := s.blob.Open()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, opened, offset); err != nil {
		_ = opened.Close()
		return nil, err
	}
	return opened, nil
}
