// Package imagedir writes the directory that container_pull and container_load leave
// for container_import: config.json, manifest.json, digest, and for each layer a
// blob NNN.tar.gz, NNN.tar or NNN.tar.zst and its hex sha256 in NNN.sha256.
package imagedir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Names of the files that are there once.
const (
	Config   = "config.json"
	Manifest = "manifest.json"
	Digest   = "digest" // sha256:<hex> of the manifest, without a newline
)

// FileMode is what every file in the directory is to have.
const FileMode = 0o644

// LayerName is the name of the n-th layer, the first being 0, by its media type.
func LayerName(n int, mediaType types.MediaType) string {
	extension := ".tar"
	switch text := string(mediaType); {
	case strings.HasSuffix(text, "gzip"):
		extension = ".tar.gz"
	case strings.HasSuffix(text, "zstd"):
		extension = ".tar.zst"
	}
	return fmt.Sprintf("%03d%s", n, extension)
}

// Staging is such a directory while it is being filled. It lies inside the final
// one, so that to finish is to rename.
type Staging struct {
	dir   string // the final one
	inner string
}

// New begins to fill dir, which is made if it does not exist.
func New(dir string) (*Staging, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of an image: %w", err)
	}
	inner, err := os.MkdirTemp(dir, ".image-")
	if err != nil {
		return nil, fmt.Errorf("making the directory of an image: %w", err)
	}
	return &Staging{dir: dir, inner: inner}, nil
}

// Path is where a file of the directory is to be written until Finish.
func (s *Staging) Path(name string) string { return filepath.Join(s.inner, name) }

// Finish adds the manifest, its digest and the layers' digests to the blobs that are
// there, and puts everything in its place. Files of an image that was there before
// are gone then.
func (s *Staging) Finish(manifest []byte, layers []v1.Descriptor) error {
	digest, _, err := v1.SHA256(bytes.NewReader(manifest))
	if err != nil {
		return err
	}
	files := map[string]string{Manifest: string(manifest), Digest: digest.String()}
	for n, layer := range layers {
		files[fmt.Sprintf("%03d.sha256", n)] = layer.Digest.Hex
	}
	for name, content := range files {
		if err := os.WriteFile(s.Path(name), []byte(content), FileMode); err != nil {
			return fmt.Errorf("writing the image: %w", err)
		}
	}
	if err := s.clear(); err != nil {
		return fmt.Errorf("removing an older image: %w", err)
	}
	entries, err := os.ReadDir(s.inner)
	if err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	for _, e := range entries {
		if err := os.Rename(s.Path(e.Name()), filepath.Join(s.dir, e.Name())); err != nil {
			return fmt.Errorf("writing the image: %w", err)
		}
	}
	return os.Remove(s.inner)
}

// clear removes what an older image left, and nothing else.
func (s *Staging) clear() error {
	old := []string{Config, Manifest, Digest}
	for _, pattern := range []string{".tar", ".tar.gz", ".tar.zst", ".sha256"} {
		found, err := filepath.Glob(filepath.Join(s.dir, "[0-9][0-9][0-9]"+pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			old = append(old, filepath.Base(path))
		}
	}
	for _, name := range old {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Discard removes what Finish has not put in its place. After Finish it does nothing.
func (s *Staging) Discard() { _ = os.RemoveAll(s.inner) }

// Link makes a file appear under another name, which must not be taken: as a hard link
// or, where that does not go, as a copy.
func Link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, FileMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
