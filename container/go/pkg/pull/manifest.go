package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// ErrManifest is a manifest that is not that of an image.
var ErrManifest = errors.New("not the manifest of an image")

// maxConfig is the size in bytes that no honest configuration exceeds.
const maxConfig = 8 << 20

// document is a manifest or an index: what of either matters here.
type document struct {
	MediaType types.MediaType `json:"mediaType"`
	Manifests []v1.Descriptor `json:"manifests"`
	Config    *v1.Descriptor  `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`

	SchemaVersion int             `json:"schemaVersion"`
	FSLayers      json.RawMessage `json:"fsLayers"`
}

func (d document) index() bool { return d.Manifests != nil }

// parse reads a manifest or an index.
//
// Errors wrap ErrManifest.
func parse(m *distribution.Manifest) (document, error) {
	var d document
	if err := json.Unmarshal(m.Data, &d); err != nil {
		return d, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	kind := d.MediaType
	if kind == "" {
		kind = m.MediaType // an OCI document need not say itself
	}
	switch {
	case d.FSLayers != nil || d.SchemaVersion == 1:
		return d, fmt.Errorf("%w that can be pulled: it has Docker's schema 1, which was given up in 2017; "+
			"push the image anew with a current client", ErrManifest)
	case d.Manifests != nil && (d.Layers != nil || d.Config != nil):
		// image-spec: a document that can be read in two ways must not be believed.
		return d, fmt.Errorf("%w: it is an index and a manifest at once", ErrManifest)
	case !addressed(d):
		return d, fmt.Errorf("%w: it names something without a digest", ErrManifest)
	case d.index():
		if kind.IsImage() {
			return d, fmt.Errorf("%w: it is an index and calls itself %s", ErrManifest, kind)
		}
		return d, nil
	case d.Config == nil:
		return d, fmt.Errorf("%w: it names no configuration (media type %q)", ErrManifest, kind)
	case kind.IsIndex():
		return d, fmt.Errorf("%w: it calls itself %s and lists no images", ErrManifest, kind)
	case d.Config.Size < 0 || d.Config.Size > maxConfig:
		return d, fmt.Errorf("%w: its configuration is said to have %d bytes", ErrManifest, d.Config.Size)
	}
	return d, nil
}

// addressed tells whether everything that a document names has a digest.
func addressed(d document) bool {
	all := append(slices.Clone(d.Manifests), d.Layers...)
	if d.Config != nil {
		all = append(all, *d.Config)
	}
	return !slices.ContainsFunc(all, func(e v1.Descriptor) bool { return e.Digest.Hex == "" })
}

// checkConfig compares a configuration with the manifest that it belongs to.
func checkConfig(data []byte, d document) error {
	var config v1.ConfigFile
	if err := json.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("%w: its configuration (%s) cannot be read: %w", ErrManifest, d.Config.MediaType, err)
	}
	if got, want := len(config.RootFS.DiffIDs), len(d.Layers); got != want {
		return fmt.Errorf("%w: it has %d layers, and its configuration (%s) lists %d", ErrManifest, want, d.Config.MediaType, got)
	}
	return nil
}
