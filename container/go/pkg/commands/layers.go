package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/builder"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/layer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// pool is the layers that a command line names, by their diff ids. Which of them an
// image has, and in which order, its configuration says.
type pool struct {
	dir    string // for documents
	layers map[v1.Hash]pooled
}

type pooled struct {
	blob     string
	metadata spec.LayerMetadata
}

// newPool reads what -layer and -tarball name. Archives are unpacked in dir.
func newPool(ctx context.Context, dir string, layers, archives []string) (*pool, error) {
	p := &pool{dir: dir, layers: map[v1.Hash]pooled{}}
	for n, path := range archives {
		if err := p.addArchive(ctx, path, filepath.Join(dir, fmt.Sprintf("archive%d", n))); err != nil {
			return nil, err
		}
	}
	for _, value := range layers {
		files, err := push.ParseLayer(value)
		if err != nil {
			return nil, err
		}
		if err := p.addLayer(files); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pool) addArchive(ctx context.Context, path, dir string) error {
	if err := builder.Run(ctx, []string{"unpack", "--in", path, "--out", dir, "--config", dir + ".json"}, io.Discard); err != nil {
		return err
	}
	index, err := spec.ReadArchive(dir)
	if err != nil {
		return err
	}
	for _, l := range index.Layers {
		if err := p.add(pooled{l.Blob, l.Metadata}); err != nil {
			return err
		}
	}
	return nil
}

// addLayer trusts the files with the digests: who reads the layer checks them.
func (p *pool) addLayer(files push.LayerFiles) error {
	digest, err := readHash(files.Digest)
	if err != nil {
		return err
	}
	diffID, err := readHash(files.DiffID)
	if err != nil {
		return err
	}
	mediaType, size, err := blobKind(files.Compressed)
	if err != nil {
		return err
	}
	plain, err := os.Stat(files.Uncompressed)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	return p.add(pooled{files.Compressed, spec.LayerMetadata{
		Version: spec.Version, MediaType: mediaType,
		Digest: digest.String(), Size: size,
		DiffID: diffID.String(), UncompressedSize: plain.Size(),
	}})
}

func (p *pool) add(l pooled) error {
	id, err := v1.NewHash(l.metadata.DiffID)
	if err != nil {
		return fmt.Errorf("layer %s: diff id: %w", l.blob, err)
	}
	p.layers[id] = l
	return nil
}

// image finds the layers of the image with the configuration at path.
func (p *pool) image(tag, path string) (spec.TarballImage, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return spec.TarballImage{}, fmt.Errorf("reading the configuration: %w", err)
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(data))
	if err != nil {
		return spec.TarballImage{}, fmt.Errorf("%s: not the configuration of an image: %w", path, err)
	}
	image := spec.TarballImage{Tag: tag, Config: path}
	for n, id := range config.RootFS.DiffIDs {
		l, ok := p.layers[id]
		if !ok {
			return spec.TarballImage{}, fmt.Errorf("layer %d of %s, with diff id %s, is in none of the files given; name it by -layer or -tarball", n, path, id)
		}
		metadata, err := p.document(id.Hex+".json", l.metadata)
		if err != nil {
			return spec.TarballImage{}, err
		}
		image.Layers = append(image.Layers, l.blob)
		image.Metadata = append(image.Metadata, metadata)
	}
	return image, nil
}

// document writes a document and returns its path.
func (p *pool) document(name string, document any) (string, error) {
	return writeDocument(filepath.Join(p.dir, name), document)
}

// writeDocument writes one of package spec's documents, and returns path.
func writeDocument(path string, document any) (string, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, data, 0o600)
}

// readHash reads a file that holds a sha256 in hex, with or without "sha256:".
func readHash(path string) (v1.Hash, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("digest of a layer: %w", err)
	}
	hash, err := v1.NewHash("sha256:" + strings.TrimPrefix(strings.TrimSpace(string(data)), "sha256:"))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("%s does not hold a sha256 in hex: %w", path, err)
	}
	return hash, nil
}

// blobKind tells the media type and the size of a layer's blob.
func blobKind(path string) (mediaType string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("layer: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, fmt.Errorf("layer: %w", err)
	}
	r, format, err := archive.NewReader(f)
	if err != nil {
		return "", 0, fmt.Errorf("layer %s: %w", path, err)
	}
	types := map[archive.Format]string{
		archive.Gzip: layer.MediaTypeGzip, archive.Zstd: layer.MediaTypeZstd, archive.Plain: layer.MediaTypePlain,
	}
	mediaType, ok := types[format]
	if !ok {
		err = fmt.Errorf("layer %s: no media type for a layer compressed with %s; recompress it by gzip", path, format)
	}
	return mediaType, info.Size(), errors.Join(err, r.Close())
}
