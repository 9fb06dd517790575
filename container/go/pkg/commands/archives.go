package commands

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/builder"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// flattener is "builder flatten" of an image that is in pieces.
func flattener(set *flag.FlagSet) action {
	var image imageflags.Flags
	image.Register(set)
	filesystem := set.String("filesystem", "", "`tar` to write the file system to")
	metadata := set.String("metadata", "", "`file` to copy the configuration to")
	return func(ctx context.Context, p Params, _ []string) error {
		if err := require(set, "config", "filesystem", "metadata"); err != nil {
			return err
		}
		return scratch(*filesystem, func(dir string) error {
			pool, err := newPool(ctx, dir, image.Layers, nonempty(image.Tarball))
			if err != nil {
				return err
			}
			described, err := pool.image("image", image.Config)
			if err != nil {
				return err
			}
			path, err := pool.document("image.json", spec.Tarball{
				Version: spec.Version, Target: image.Config, Format: "legacy", Images: []spec.TarballImage{described},
			})
			if err != nil {
				return err
			}
			return builder.Run(ctx, []string{"flatten", "--spec", path, "--out", *filesystem, "--config", *metadata}, p.Stderr)
		})
	}
}

// joinLayers is "builder tarball" of images that are in pieces.
func joinLayers(set *flag.FlagSet) action {
	var tags, manifests, layers, archives, stamps imageflags.Texts
	output := set.String("output", "", "`archive` to write")
	format := set.String("experimental-tarball-format", "legacy", "`format` of the layers in the archive: legacy, which is plain, or compressed")
	set.Var(&tags, "tag", "an image, as `REFERENCE=FILE`: its name, in which {KEY} is stamped, and its configuration; may be repeated")
	set.Var(&manifests, "basemanifest", "`REFERENCE=FILE` with the manifest of the image's base; not needed and not read; may be repeated")
	set.Var(&layers, "layer", imageflags.LayerUsage)
	set.Var(&archives, "tarball", "docker-save `archive` with further layers; may be repeated")
	set.Var(&stamps, "stamp-info-file", "workspace status `file` that {KEY} in -tag is looked up in; may be repeated")
	return func(ctx context.Context, p Params, _ []string) error {
		if err := require(set, "output", "tag"); err != nil {
			return err
		}
		return scratch(*output, func(dir string) error {
			pool, err := newPool(ctx, dir, layers, archives)
			if err != nil {
				return err
			}
			t := spec.Tarball{Version: spec.Version, Target: *output, Format: *format, StampFiles: stamps}
			for _, tag := range tags {
				name, config, ok := strings.Cut(tag, "=")
				if !ok || strings.Contains(config, "=") {
					return fmt.Errorf("-tag %q is not REFERENCE=FILE, with one = in it", tag)
				}
				image, err := pool.image(name, config)
				if err != nil {
					return err
				}
				t.Images = append(t.Images, image)
			}
			path, err := pool.document("archive.json", t)
			if err != nil {
				return err
			}
			return builder.Run(ctx, []string{"tarball", "--spec", path, "--out", *output}, p.Stderr)
		})
	}
}

// extractConfig gives an archive the manifest that it has as a base or when it is pushed.
func extractConfig(set *flag.FlagSet) action {
	in := set.String("imageTar", "", "docker-save `archive` with one image")
	config := set.String("outputConfig", "", "`file` to write the configuration to, as it is")
	manifest := set.String("outputManifest", "", "`file` to write a Docker manifest to")
	return func(ctx context.Context, p Params, _ []string) error {
		if err := require(set, "imageTar", "outputConfig", "outputManifest"); err != nil {
			return err
		}
		return scratch(*config, func(dir string) error {
			layers, raw := filepath.Join(dir, "layers"), filepath.Join(dir, "config.json")
			if err := builder.Run(ctx, []string{"unpack", "--in", *in, "--out", layers, "--config", raw}, p.Stderr); err != nil {
				return err
			}
			path, err := writeDocument(filepath.Join(dir, "image.json"), spec.Image{
				Version: spec.Version, Target: *in, BaseArchive: layers, BaseConfig: raw, Verbatim: true,
			})
			if err != nil {
				return err
			}
			return builder.Run(ctx, []string{"image", "--spec", path, "--config", *config, "--manifest", *manifest}, p.Stderr)
		})
	}
}

// extractLastLayer writes the plain tar of the topmost layer.
func extractLastLayer(*flag.FlagSet) action {
	return func(ctx context.Context, p Params, args []string) error {
		if len(args) != 3 {
			return fmt.Errorf("%w: it takes an archive, the layer to write and the file to write its diff id to, and got %d arguments", ErrUsage, len(args))
		}
		in, out, diffID := args[0], args[1], args[2]
		return scratch(out, func(dir string) error {
			layers := filepath.Join(dir, "layers")
			if err := builder.Run(ctx, []string{"unpack", "--in", in, "--out", layers, "--config", layers + ".json"}, p.Stderr); err != nil {
				return err
			}
			index, err := spec.ReadArchive(layers)
			if err != nil {
				return err
			}
			if len(index.Layers) == 0 {
				return fmt.Errorf("the image in %s has no layer", in)
			}
			last := index.Layers[len(index.Layers)-1]
			if err := builder.Run(ctx, []string{"decompress", "--in", last.Blob, "--out", out}, p.Stderr); err != nil {
				return err
			}
			err = outfile.WriteText(diffID, strings.TrimPrefix(last.Metadata.DiffID, "sha256:"))
			if err != nil {
				return errors.Join(err, os.Remove(out))
			}
			return nil
		})
	}
}

// nonempty is a list of the texts that are not "".
func nonempty(texts ...string) []string {
	var list []string
	for _, text := range texts {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}
