// Package importer takes a docker-save archive apart, into a directory such as
// package imagedir describes (Docker's image specification v1.2, "Combined Image JSON
// + Filesystem Changeset Format"). It is the program that rules_docker called loader.
package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagedir"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/savedimage"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// ErrUsage is a command line that cannot be understood.
var ErrUsage = errors.New("loader")

// line is an error in words that scripts may look for, since upstream's loader
// printed them.
type line string

func (l line) Error() string { return string(l) }

const errLoad line = "Failed to load tarball into OCI format"

// Run takes the archive that the flags name apart. What it has to say goes to out.
func Run(ctx context.Context, args []string, out io.Writer) error {
	set := flag.NewFlagSet("loader", flag.ContinueOnError)
	set.SetOutput(out)
	directory := set.String("directory", "", "`directory` to put the image into")
	archive := set.String("tarball", "", "docker-save `archive` with one image, plain or compressed")
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUsage, err)
	case set.NArg() > 0:
		return fmt.Errorf("%w: unexpected argument %q", ErrUsage, set.Arg(0))
	case *directory == "" || *archive == "":
		return fmt.Errorf("%w: there is no image beside this program, so -directory and -tarball are needed; "+
			"to load an image into docker, run its target by bazel run", ErrUsage)
	}
	if err := Import(ctx, *archive, *directory); err != nil {
		return fmt.Errorf("%w: %w", errLoad, err)
	}
	fmt.Fprintf(out, "Successfully wrote docker image tarball to %q\n", *directory)
	return nil
}

// Import takes the only image of the archive at path apart, into dir. A layer that is
// gzip is kept byte for byte, any other becomes one. When it fails it leaves nothing.
//
// Errors name the archive; they wrap savedimage.ErrNotSaved where it is another kind of
// file.
func Import(ctx context.Context, path, dir string) error {
	staging, err := imagedir.New(dir)
	if err != nil {
		return err
	}
	defer staging.Discard()
	config := staging.Path(imagedir.Config)
	if err := savedimage.Unpack(ctx, path, staging.Path(""), config); err != nil {
		return err
	}
	manifest, err := describe(staging, config)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	return staging.Finish(data, manifest.Layers)
}

// describe makes the manifest of what was unpacked, and sees to it that each layer has a
// file of its own.
func describe(staging *imagedir.Staging, config string) (*v1.Manifest, error) {
	data, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m := &v1.Manifest{
		SchemaVersion: 2, MediaType: types.DockerManifestSchema2,
		Config: v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: digest, Size: size},
		Layers: []v1.Descriptor{},
	}
	index, err := spec.ReadArchive(staging.Path(""))
	if err != nil {
		return nil, err
	}
	for n, l := range index.Layers {
		d := v1.Descriptor{MediaType: types.DockerLayer, Size: l.Metadata.Size, URLs: l.Metadata.URLs}
		if len(d.URLs) > 0 {
			d.MediaType = types.DockerForeignLayer
		}
		if d.Digest, err = v1.NewHash(l.Metadata.Digest); err != nil {
			return nil, err
		}
		m.Layers = append(m.Layers, d)
		path := staging.Path(imagedir.LayerName(n, types.DockerLayer))
		if l.Blob == path {
			continue
		}
		// It is in the archive once, and is needed again.
		if err := imagedir.Link(l.Blob, path); err != nil {
			return nil, fmt.Errorf("writing the image: %w", err)
		}
	}
	return m, os.Remove(staging.Path(spec.ArchiveIndexName))
}
