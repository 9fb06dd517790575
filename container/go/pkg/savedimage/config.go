package savedimage

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
)

// Config returns the configuration of the only image of the docker-save archive at in,
// plain or compressed, byte for byte: what the image id is the digest of. tempDir is
// where a compressed archive is decompressed to.
//
// Errors name the archive; they wrap ErrNotSaved where it is another kind of file.
func Config(ctx context.Context, in, tempDir string) (config []byte, err error) {
	source, err := archive.OpenTar(ctx, in, tempDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	names, err := readMembers(ctx, source)
	if err != nil {
		return nil, err
	}
	image, err := names.image()
	if err != nil {
		return nil, fmt.Errorf("reading the image in %s: %w", in, err)
	}
	err = source.Walk(ctx, func(m archive.Member, content io.Reader) error {
		if !names.last(m) || m.Name != image.config {
			return nil
		}
		config, err = readDocument(m.Name, content)
		return err
	})
	return config, err
}
