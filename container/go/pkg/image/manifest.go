package image

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Media types that go-containerregistry has no name for.
const (
	dockerForeignUncompressed types.MediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar"
	ociRestrictedZstd         types.MediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
)

// mediaTypes are the names of one kind of layer in the two kinds of manifest.
type mediaTypes struct {
	docker, oci types.MediaType
	foreign     bool
}

// kinds of layers: gzip, plain and zstd, and then the foreign ones in the same order.
// Docker has no media type for zstd and takes the OCI's.
func kinds() []mediaTypes {
	return []mediaTypes{
		{types.DockerLayer, types.OCILayer, false},
		{types.DockerUncompressedLayer, types.OCIUncompressedLayer, false},
		{types.OCILayerZStd, types.OCILayerZStd, false},
		{types.DockerForeignLayer, types.OCIRestrictedLayer, true},
		{dockerForeignUncompressed, types.OCIUncompressedRestrictedLayer, true},
		{ociRestrictedZstd, ociRestrictedZstd, true},
	}
}

// kindOf finds the kind of layer that has a media type in either manifest. A layer
// of a foreign kind is compressed as its distributable counterpart is.
func kindOf(name types.MediaType, foreign bool) (mediaTypes, error) {
	all := kinds()
	half := len(all) / 2
	for n, kind := range all {
		if name != kind.docker && name != kind.oci {
			continue
		}
		if foreign && !kind.foreign {
			return all[n+half], nil
		}
		return kind, nil
	}
	return mediaTypes{}, fmt.Errorf("unknown media type %q of a layer", name)
}

// docker is the layer's descriptor in a Docker manifest.
func (l layer) docker() v1.Descriptor { return l.descriptor(l.kind.docker) }

// oci is the layer's descriptor in an OCI manifest.
func (l layer) oci() v1.Descriptor { return l.descriptor(l.kind.oci) }

func (l layer) descriptor(name types.MediaType) v1.Descriptor {
	return v1.Descriptor{MediaType: name, Size: l.size, Digest: l.digest, URLs: l.urls}
}

func manifest(name types.MediaType, config v1.Descriptor, layers []layer, describe func(layer) v1.Descriptor) []byte {
	m := v1.Manifest{SchemaVersion: 2, MediaType: name, Config: config, Layers: []v1.Descriptor{}}
	for _, l := range layers {
		m.Layers = append(m.Layers, describe(l))
	}
	return encode(m)
}
