package image

import (
	"bytes"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// keepManifest puts the base's manifest, byte for byte, in the place of the one that
// was made in its format, if it is about the same blobs: an image that is pulled and
// pushed as it is keeps its digest.
func (r *Result) keepManifest(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the base's manifest: %w", err)
	}
	base, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: not the manifest of an image: %w", path, err)
	}
	kept, digest := &r.OCIManifest, &r.OCIDigest
	if base.MediaType == types.DockerManifestSchema2 {
		kept, digest = &r.Manifest, &r.Digest
	} else if base.MediaType != types.OCIManifestSchema1 && base.Config.MediaType != types.OCIConfigJSON {
		return nil // what it is cannot be told
	}
	made, err := v1.ParseManifest(bytes.NewReader(*kept))
	if err != nil {
		return err
	}
	if !sameBlobs(made, base) {
		return nil
	}
	*kept = data
	*digest, _, err = v1.SHA256(bytes.NewReader(data))
	return err
}

func sameBlobs(a, b *v1.Manifest) bool {
	if a.Config.Digest != b.Config.Digest || len(a.Layers) != len(b.Layers) {
		return false
	}
	for n := range a.Layers {
		if a.Layers[n].Digest != b.Layers[n].Digest || a.Layers[n].MediaType != b.Layers[n].MediaType {
			return false
		}
	}
	return true
}
