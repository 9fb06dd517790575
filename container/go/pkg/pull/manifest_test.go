package pull

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

func TestParse(t *testing.T) {
	digest := `"digest":"sha256:` + strings.Repeat("a", 64) + `"`
	config := `"config":{"size":7,` + digest + `}`
	for _, c := range []struct {
		name, data string
		mediaType  types.MediaType
		want       string // in the error, "" for none
	}{
		{"docker", `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",` + config + `}`, "", ""},
		{"oci without media type", `{"schemaVersion":2,` + config + `,"layers":[]}`, types.OCIManifestSchema1, ""},
		{"served as something else", `{"schemaVersion":2,"mediaType":"` + string(types.OCIManifestSchema1) + `",` + config + `}`, "text/plain", ""},
		{"index", `{"schemaVersion":2,"manifests":[{` + digest + `}]}`, types.OCIImageIndex, ""},
		{"schema 1", `{"schemaVersion":1,"fsLayers":[]}`, types.DockerManifestSchema1, "schema 1"},
		{"index and manifest", `{"schemaVersion":2,"manifests":[],` + config + `}`, "", "at once"},
		{"index that calls itself an image", `{"schemaVersion":2,"manifests":[]}`, types.OCIManifestSchema1, "calls itself"},
		{"image that calls itself an index", `{"schemaVersion":2,` + config + `}`, types.OCIImageIndex, "lists no images"},
		{"no config", `{"schemaVersion":2}`, "", "no configuration"},
		{"no digest", `{"schemaVersion":2,` + config + `,"layers":[{"size":1}]}`, "", "without a digest"},
		{"bad digest", `{"schemaVersion":2,"config":{"digest":"sha256:../../x"}}`, "", "not the manifest"},
		{"large config", `{"schemaVersion":2,"config":{"size":99999999,` + digest + `}}`, "", "99999999 bytes"},
		{"no json", `<html>`, "", "not the manifest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(&distribution.Manifest{Data: []byte(c.data), MediaType: c.mediaType})
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
