package layer

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/compress"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// Import writes the layer that is read from r to a file, as a gzip blob: the very
// bytes of r if they are gzip already, else made from them. On an error out does not
// exist.
func Import(ctx context.Context, r io.Reader, out string) (m spec.LayerMetadata, err error) {
	in := bufio.NewReader(r)
	err = stage(func(s *staging) error {
		var blob, raw *digester
		// Peek's error is that of the reads that follow.
		if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			file, err := s.create(out)
			if err != nil {
				return err
			}
			blob, raw = newDigester(file), newDigester(io.Discard)
			if err := expand(ctx, raw, io.TeeReader(in, blob)); err != nil {
				return err
			}
		} else {
			plain, _, err := archive.NewReader(in)
			if err != nil {
				return err
			}
			defer plain.Close()
			blob, raw, err = s.compress(out, spec.Compression{Algorithm: compress.Gzip}, func(w io.Writer) error {
				_, err := archive.Copy(ctx, w, plain)
				return err
			})
			if err != nil {
				return err
			}
		}
		m = metadataOf(MediaTypeGzip, blob, raw)
		return nil
	})
	if err != nil {
		return spec.LayerMetadata{}, fmt.Errorf("importing a layer: %w", err)
	}
	return m, nil
}
