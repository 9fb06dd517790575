// Package image makes the configuration of an image and its two manifests, Docker's
// (image manifest version 2, schema 2) and the OCI's (image-spec, manifest.md and
// config.md), from a spec.Image and the metadata of its layers. It never reads a
// layer.
package image

import (
	"bytes"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/stamp"
)

// ErrBase says that the base's configuration, its layers and the spec do not belong
// together.
var ErrBase = errors.New("the base image does not match its layers")

// Result is an image without its layers: compact JSON documents and their digests.
type Result struct {
	Config      []byte
	Manifest    []byte // Docker's
	OCIManifest []byte

	ConfigDigest v1.Hash // the image id
	Digest       v1.Hash // of Manifest
	OCIDigest    v1.Hash
}

// Build reads the files that the spec names and makes the image's documents. Errors
// name the file or the attribute at fault but not the target, which is i.Target.
// They wrap ErrBase where a base does not fit.
func Build(i spec.Image) (*Result, error) {
	if i.NewLayers < 0 || i.NewLayers > len(i.Layers) {
		return nil, fmt.Errorf("the image has %d layers, so %d of them cannot be new", len(i.Layers), i.NewLayers)
	}
	layers, err := readLayers(i)
	if err != nil {
		return nil, err
	}
	base, err := readBase(i)
	if err != nil {
		return nil, err
	}
	if err := base.check(i, layers[:len(layers)-i.NewLayers]); err != nil {
		return nil, err
	}
	config := base.raw
	if !i.Verbatim {
		stamper, err := stamp.Read(i.StampFiles...)
		if err != nil {
			return nil, err
		}
		if config, err = configure(i, base, layers, stamper); err != nil {
			return nil, err
		}
	}
	r, err := result(config, layers)
	if err == nil && i.Verbatim && i.BaseManifest != "" {
		err = r.keepManifest(i.BaseManifest)
	}
	return r, err
}

// Configure makes the configuration of an image alone, for which nothing needs to be
// known of the new layers but their diff ids: i.Layers, i.NewLayers, i.BaseArchive and
// i.BaseManifest are not looked at. Errors are as those of Build.
func Configure(i spec.Image, diffIDs []v1.Hash) ([]byte, error) {
	base, err := readBase(i)
	if err != nil {
		return nil, err
	}
	stamper, err := stamp.Read(i.StampFiles...)
	if err != nil {
		return nil, err
	}
	layers := make([]layer, len(diffIDs))
	for n, id := range diffIDs {
		layers[n].diffID = id
	}
	i.NewLayers = len(layers)
	return configure(i, base, layers, stamper)
}

func result(config []byte, layers []layer) (*Result, error) {
	r := &Result{Config: config}
	var size int64
	var err error
	if r.ConfigDigest, size, err = v1.SHA256(bytes.NewReader(config)); err != nil {
		return nil, fmt.Errorf("computing the configuration's digest: %w", err)
	}
	r.Manifest = manifest(types.DockerManifestSchema2,
		v1.Descriptor{MediaType: types.DockerConfigJSON, Size: size, Digest: r.ConfigDigest}, layers, layer.docker)
	r.OCIManifest = manifest(types.OCIManifestSchema1,
		v1.Descriptor{MediaType: types.OCIConfigJSON, Size: size, Digest: r.ConfigDigest}, layers, layer.oci)
	if r.Digest, _, err = v1.SHA256(bytes.NewReader(r.Manifest)); err != nil {
		return nil, fmt.Errorf("computing the manifest's digest: %w", err)
	}
	if r.OCIDigest, _, err = v1.SHA256(bytes.NewReader(r.OCIManifest)); err != nil {
		return nil, fmt.Errorf("computing the OCI manifest's digest: %w", err)
	}
	return r, nil
}
