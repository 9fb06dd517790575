package builder

import (
	"context"
	"flag"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/layer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// outputFlags are the outputs that every command about a layer has.
func outputFlags(flags *flag.FlagSet) *layer.Outputs {
	out := &layer.Outputs{}
	flags.StringVar(&out.Blob, "out", "", "layer blob to write")
	flags.StringVar(&out.Metadata, "metadata", "", "JSON description of the blob to write")
	flags.StringVar(&out.BlobSum, "blob-sum", "", "file to write the blob's hex sha256 to")
	flags.StringVar(&out.DiffID, "diff-id", "", "file to write the tar's hex sha256 to")
	return out
}

func layerCommand(flags *flag.FlagSet, warn io.Writer) func(context.Context) error {
	path := flags.String("spec", "", "description of the layer")
	out := outputFlags(flags)
	return func(ctx context.Context) error {
		if err := require(flags, "spec", "out", "metadata"); err != nil {
			return err
		}
		l, err := spec.Read[spec.Layer](*path)
		if err != nil {
			return err
		}
		return layer.Builder{Warnings: warn}.Build(ctx, l, *out)
	}
}

func blobCommand(flags *flag.FlagSet) func(context.Context) error {
	in := flags.String("in", "", "layer archive to read")
	out := outputFlags(flags)
	return func(ctx context.Context) error {
		if err := require(flags, "in", "metadata"); err != nil {
			return err
		}
		return layer.Describe(ctx, *in, *out)
	}
}

func decompressCommand(flags *flag.FlagSet) func(context.Context) error {
	in := flags.String("in", "", "layer blob to read")
	out := flags.String("out", "", "tar to write")
	return func(ctx context.Context) error {
		if err := require(flags, "in", "out"); err != nil {
			return err
		}
		return layer.Decompress(ctx, *in, *out)
	}
}
