package pull

import (
	"archive/tar"
	"bytes"
	"io"
	"math/rand"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// layerSize is what a layer takes, however it is compressed.
const layerSize = 1 << 20

// layerTar is a tar with one file that cannot be compressed.
func layerTar(t *testing.T, name string) []byte {
	t.Helper()
	content := make([]byte, layerSize)
	rand.New(rand.NewSource(int64(len(name)) + int64(name[0]))).Read(content)
	return harness.Tar(t, harness.Member{
		Header: tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, Content: string(content),
	})
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func compressed(t *testing.T, data []byte, how compression.Compression, mediaType types.MediaType) v1.Layer {
	t.Helper()
	return must[v1.Layer](t)(tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}, tarball.WithCompression(how), tarball.WithMediaType(mediaType)))
}

// baseImage has a gzip, a zstd, and a plain layer.
func baseImage(t *testing.T, architecture string) v1.Image {
	t.Helper()
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image = must[v1.Image](t)(mutate.AppendLayers(image,
		compressed(t, layerTar(t, "gzip-"+architecture), compression.GZip, types.OCILayer),
		compressed(t, layerTar(t, "zstandard-"+architecture), compression.ZStd, types.OCILayerZStd),
		static.NewLayer(layerTar(t, "plain-"+architecture), types.OCIUncompressedLayer),
	))
	return configure(t, image, "linux", architecture)
}

// plainImage is in Docker's format, with gzip layers.
func plainImage(t *testing.T) v1.Image {
	t.Helper()
	image := must[v1.Image](t)(mutate.AppendLayers(empty.Image,
		compressed(t, layerTar(t, "lower"), compression.GZip, types.DockerLayer),
		compressed(t, layerTar(t, "upper"), compression.GZip, types.DockerLayer),
	))
	return configure(t, image, "linux", "amd64")
}

func configure(t *testing.T, image v1.Image, system, architecture string) v1.Image {
	t.Helper()
	config := must[*v1.ConfigFile](t)(image.ConfigFile())
	config = config.DeepCopy()
	config.OS, config.Architecture = system, architecture
	config.Config.Cmd = []string{"/bin/" + architecture}
	return must[v1.Image](t)(mutate.ConfigFile(image, config))
}

// foreignImage has a layer that no registry has, at url.
func foreignImage(t *testing.T, url string, foreign []byte) v1.Image {
	t.Helper()
	layer := compressed(t, foreign, compression.GZip, types.DockerForeignLayer)
	image := must[v1.Image](t)(mutate.Append(empty.Image,
		mutate.Addendum{Layer: layer, MediaType: types.DockerForeignLayer, URLs: []string{url}},
		mutate.Addendum{Layer: compressed(t, layerTar(t, "Files"), compression.GZip, types.DockerLayer)},
	))
	return configure(t, image, "windows", "amd64")
}

func options() []remote.Option {
	return []remote.Option{remote.WithAuth(&authn.Basic{Username: registries.User, Password: registries.Password})}
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	return must[name.Reference](t)(name.ParseReference(text, name.Insecure))
}

func publish(t *testing.T, ref string, image v1.Image) v1.Hash {
	t.Helper()
	if err := remote.Write(reference(t, ref), image, options()...); err != nil {
		t.Fatal(err)
	}
	return must[v1.Hash](t)(image.Digest())
}

func publishIndex(t *testing.T, ref string, images map[string]v1.Image) v1.Hash {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range []string{"amd64", "arm64"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        images[architecture],
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	if err := remote.WriteIndex(reference(t, ref), index, options()...); err != nil {
		t.Fatal(err)
	}
	return must[v1.Hash](t)(index.Digest())
}

// fetch reads an image back.
func fetch(t *testing.T, ref string) v1.Image {
	t.Helper()
	return must[v1.Image](t)(remote.Image(reference(t, ref), options()...))
}
