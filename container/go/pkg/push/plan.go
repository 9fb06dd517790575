package push

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// ErrStale says that a file is not what the manifest says about it.
var ErrStale = errors.New("file does not match the manifest; build the target again")

// FromPlan reads the image of a push plan. resolve turns the plan's runfiles paths
// into paths. Layers are not read: their digests are the manifest's, and only their
// sizes are compared.
//
// Errors: a file is missing, is not JSON, or is not what the manifest says.
func FromPlan(p spec.Push, resolve func(string) (string, error)) (*Image, error) {
	format, err := ParseFormat(p.Format)
	if err != nil {
		return nil, err
	}
	path, err := resolve(p.Manifest)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the manifest %s: %w", path, err)
	}
	layers, err := planLayers(p, resolve)
	if err != nil {
		return nil, err
	}
	if len(m.Layers) != len(layers) {
		return nil, fmt.Errorf("%w: %s has %d layers, the plan %d", ErrStale, path, len(m.Layers), len(layers))
	}
	digest, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	img := &Image{Manifest: data, MediaType: m.MediaType, Digest: digest}
	if img.MediaType == "" {
		img.MediaType = manifestType(format) // optional in an OCI manifest
	}
	if img.Config, err = planConfig(m.Config, p.Config, resolve); err != nil {
		return nil, err
	}
	for i, desc := range m.Layers {
		layer, err := planLayer(desc, layers[i])
		if err != nil {
			return nil, err
		}
		img.Layers = append(img.Layers, layer)
	}
	if format == Docker {
		// The build refuses this too, but may have left older outputs or gone on with others.
		if err := CheckDocker(data); err != nil {
			return nil, err
		}
	}
	return img.Convert(format)
}

func planConfig(desc v1.Descriptor, runfile string, resolve func(string) (string, error)) (Blob, error) {
	path, err := resolve(runfile)
	if err != nil {
		return Blob{}, fmt.Errorf("configuration: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Blob{}, fmt.Errorf("reading the configuration: %w", err)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return Blob{}, err
	}
	if digest != desc.Digest || size != desc.Size {
		return Blob{}, fmt.Errorf("%w: %s is %s (%d bytes), the manifest wants %s (%d bytes)",
			ErrStale, path, digest, size, desc.Digest, desc.Size)
	}
	blob := bytesBlob(desc, data)
	blob.Path = path
	return blob, nil
}

// planLayers are the functions that find the blobs of a plan's layers, those of an
// unpacked archive first. A foreign layer may have none, so nothing is looked up yet.
func planLayers(p spec.Push, resolve func(string) (string, error)) ([]func() (string, error), error) {
	var layers []func() (string, error)
	if p.Archive != "" {
		dir, err := resolve(p.Archive)
		if err != nil {
			return nil, fmt.Errorf("unpacked archive: %w", err)
		}
		index, err := spec.ReadArchive(dir)
		if err != nil {
			return nil, err
		}
		for _, l := range index.Layers {
			layers = append(layers, func() (string, error) { return l.Blob, nil })
		}
	}
	for _, runfile := range p.Layers {
		layers = append(layers, func() (string, error) {
			if runfile == "" {
				return "", fmt.Errorf("%w: there is no file for it", ErrStale)
			}
			return resolve(runfile)
		})
	}
	return layers, nil
}

func planLayer(desc v1.Descriptor, find func() (string, error)) (Blob, error) {
	if foreign(desc) {
		return Blob{Descriptor: desc}, nil
	}
	path, err := find()
	if err != nil {
		return Blob{}, fmt.Errorf("layer %s: %w", desc.Digest, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Blob{}, fmt.Errorf("layer %s: %w", desc.Digest, err)
	}
	if info.Size() != desc.Size {
		return Blob{}, fmt.Errorf("%w: %s has %d bytes, the manifest wants %d", ErrStale, path, info.Size(), desc.Size)
	}
	return fileBlob(desc, path), nil
}

// foreign tells whether a layer is to be had elsewhere and is not pushed.
func foreign(desc v1.Descriptor) bool {
	return !desc.MediaType.IsDistributable() || desc.MediaType == types.OCIRestrictedLayer || len(desc.URLs) > 0
}
