package image

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// TestKeepManifest: an image that is imported with the manifest that it has in a
// registry keeps it, unless it is about other blobs.
func TestKeepManifest(t *testing.T) {
	config := fmt.Sprintf(`{"rootfs":{"type":"layers","diff_ids":[%q]}}`, hex64("a"))
	id, size, err := v1.SHA256(strings.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	text := func(mediaType, config, layer, layerDigest string) string {
		return fmt.Sprintf(`{ "schemaVersion": 2, %s "config": {"mediaType": %q, "size": %d, "digest": %q},
			"layers": [{"mediaType": %q, "size": 100, "digest": %q}], "annotations": {"kept": "yes"} }`,
			mediaType, config, size, id, layer, layerDigest)
	}
	docker := text(`"mediaType": "application/vnd.docker.distribution.manifest.v2+json",`, string(types.DockerConfigJSON), string(types.DockerLayer), hex64("1"))
	oci := text("", string(types.OCIConfigJSON), string(types.OCILayer), hex64("1"))
	for _, c := range []struct {
		name, manifest string
		docker, oci    bool // kept
	}{
		{"docker", docker, true, false},
		{"oci without a media type", oci, false, true},
		{"another layer", strings.ReplaceAll(docker, hex64("1"), hex64("2")), false, false},
		{"another configuration", strings.ReplaceAll(docker, id.String(), hex64("2")), false, false},
		{"another kind of layer", strings.ReplaceAll(docker, string(types.DockerLayer), string(types.DockerUncompressedLayer)), false, false},
		{"of no known kind", text("", "application/x", string(types.OCILayer), hex64("1")), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, spec.Image{
				Version: spec.Version, Target: "//p:x", Verbatim: true,
				BaseConfig: file(t, "config.json", config), BaseManifest: file(t, "manifest.json", c.manifest),
				Layers: []spec.ImageLayer{newLayer(t, "a", "1")},
			})
			if got := string(r.Manifest) == c.manifest; got != c.docker {
				t.Errorf("Docker's manifest kept: %v\n%s", got, r.Manifest)
			}
			if got := string(r.OCIManifest) == c.manifest; got != c.oci {
				t.Errorf("the OCI's manifest kept: %v\n%s", got, r.OCIManifest)
			}
			for manifest, digest := range map[string]v1.Hash{string(r.Manifest): r.Digest, string(r.OCIManifest): r.OCIDigest} {
				if want, _, err := v1.SHA256(bytes.NewReader([]byte(manifest))); err != nil || want != digest {
					t.Errorf("digest %s of %s", digest, manifest)
				}
			}
		})
	}
}
