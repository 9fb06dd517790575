package image

import (
	"errors"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// base is the configuration that an image starts from.
type base struct {
	raw     []byte
	config  object // the whole document
	inner   object // its config: what a container runs with
	rootfs  object
	diffIDs []v1.Hash
	history rawList
}

func readBase(i spec.Image) (*base, error) {
	if i.BaseConfig == "" {
		if i.Verbatim {
			return nil, errors.New("there is no configuration to keep: base_config is empty")
		}
		return parseBase([]byte("{}"))
	}
	data, err := os.ReadFile(i.BaseConfig)
	if err != nil {
		return nil, fmt.Errorf("reading the base's configuration: %w", err)
	}
	b, err := parseBase(data)
	if err != nil {
		return nil, fmt.Errorf("%s: not the configuration of an image: %w", i.BaseConfig, err)
	}
	return b, nil
}

func parseBase(data []byte) (*base, error) {
	b := &base{raw: data}
	var err error
	if b.config, err = parseObject(data); err != nil {
		return nil, err
	}
	if b.inner, err = b.config.member("config"); err != nil {
		return nil, err
	}
	if b.rootfs, err = b.config.member("rootfs"); err != nil {
		return nil, err
	}
	if err := b.rootfs.get("diff_ids", &b.diffIDs); err != nil {
		return nil, fmt.Errorf("rootfs: %w", err)
	}
	if err := b.config.get("history", &b.history); err != nil {
		return nil, err
	}
	return b, nil
}

// check compares the configuration with the metadata of the layers that it should
// be about.
func (b *base) check(i spec.Image, layers []layer) error {
	if i.Verbatim && i.NewLayers != 0 {
		return fmt.Errorf("a configuration that is kept as it is cannot get %d new layers", i.NewLayers)
	}
	if i.BaseConfig == "" {
		if len(layers) > 0 {
			return fmt.Errorf("%w: there is no base configuration, yet %d of the layers are not new", ErrBase, len(layers))
		}
		return nil
	}
	if len(b.diffIDs) != len(layers) {
		return fmt.Errorf("%w: %s lists %d layers (rootfs.diff_ids) and %d are given; "+
			"give all layers of the base in the order of its manifest, or pull the base anew",
			ErrBase, i.BaseConfig, len(b.diffIDs), len(layers))
	}
	for n, l := range layers {
		if l.diffID != b.diffIDs[n] {
			return fmt.Errorf("%w: layer %d of %d (%s, blob %s) unpacks to %s, where %s says %s; "+
				"give the layers of the base in the order of its manifest, or pull the base anew",
				ErrBase, n+1, len(layers), l.path, l.digest, l.diffID, i.BaseConfig, b.diffIDs[n])
		}
	}
	return nil
}
