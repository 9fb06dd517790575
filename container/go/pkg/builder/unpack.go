package builder

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/flatten"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/savedimage"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func unpackCommand(flags *flag.FlagSet) func(context.Context) error {
	in := flags.String("in", "", "docker-save archive to read")
	out := flags.String("out", "", "directory to write the layers to")
	config := flags.String("config", "", "configuration to write")
	return func(ctx context.Context) error {
		if err := require(flags, "in", "out", "config"); err != nil {
			return err
		}
		return savedimage.Unpack(ctx, *in, *out, *config)
	}
}

func flattenCommand(flags *flag.FlagSet) func(context.Context) error {
	path := flags.String("spec", "", "description of an archive of one image")
	out := flags.String("out", "", "tar to write the file system to")
	config := flags.String("config", "", "file to copy the configuration to")
	return func(ctx context.Context) error {
		if err := require(flags, "spec", "out", "config"); err != nil {
			return err
		}
		t, err := spec.Read[spec.Tarball](*path)
		if err != nil {
			return err
		}
		if err := flattenImage(ctx, t, *out, *config); err != nil {
			return fmt.Errorf("flattening the image of %s: %w", t.Target, err)
		}
		return nil
	}
}

func flattenImage(ctx context.Context, t spec.Tarball, out, config string) error {
	if len(t.Images) != 1 {
		return fmt.Errorf("there are %d images, and only one can be flattened", len(t.Images))
	}
	image := t.Images[0]
	below, err := spec.ReadArchive(image.Archive)
	if err != nil {
		return err
	}
	var layers []string
	for _, l := range below.Layers {
		layers = append(layers, l.Blob)
	}
	layers = append(layers, image.Layers...)
	data, err := os.ReadFile(image.Config)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if err := outfile.Write(out, func(w io.Writer) error {
		return flatten.Write(ctx, w, layers, filepath.Dir(out))
	}); err != nil {
		return err
	}
	if err := write(output{config, data}); err != nil {
		os.Remove(out)
		return err
	}
	return nil
}
