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
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagedir"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/layer"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// maxDocument is the size in bytes that no honest manifest.json or configuration
// exceeds.
const maxDocument = 8 << 20

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
// Errors name the archive.
func Import(ctx context.Context, path, dir string) error {
	if err := run(ctx, path, dir); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func run(ctx context.Context, path, dir string) error {
	staging, err := imagedir.New(dir)
	if err != nil {
		return err
	}
	defer staging.Discard()
	f, err := plain(ctx, path, staging.Path("archive"))
	if err != nil {
		return err
	}
	defer f.Close()
	x, err := newIndex(f)
	if err != nil {
		return err
	}
	described, err := only(x)
	if err != nil {
		return err
	}
	manifest, err := unpack(ctx, x, described, staging)
	if err != nil {
		return err
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	// What is left over is none of the image's.
	if err := os.RemoveAll(staging.Path("archive")); err != nil {
		return err
	}
	return staging.Finish(data, manifest.Layers)
}

// plain opens the archive or, if it is compressed, what it holds, which then is at
// temp.
func plain(ctx context.Context, path, temp string) (*os.File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, format, err := archive.NewReader(in)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	defer r.Close()
	if format == archive.Plain {
		_, err := in.Seek(0, io.SeekStart)
		return in, err
	}
	defer in.Close()
	out, err := os.Create(temp)
	if err != nil {
		return nil, err
	}
	_, err = archive.Copy(ctx, out, r)
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// only reads manifest.json, which has to describe one image.
func only(x *index) (tarball.Descriptor, error) {
	data, err := x.read("manifest.json", maxDocument)
	if err != nil {
		return tarball.Descriptor{}, fmt.Errorf("it is not what docker save makes: %w", err)
	}
	var all tarball.Manifest
	if err := json.Unmarshal(data, &all); err != nil {
		return tarball.Descriptor{}, fmt.Errorf("its manifest.json: %w", err)
	}
	if len(all) != 1 {
		var tags []string
		for _, d := range all {
			tags = append(tags, d.RepoTags...)
		}
		return tarball.Descriptor{}, fmt.Errorf("it holds %d images (%s), and has to hold one; save the one that is meant by itself",
			len(all), strings.Join(tags, ", "))
	}
	return all[0], nil
}

// unpack writes configuration and layers, and returns the manifest of both.
func unpack(ctx context.Context, x *index, d tarball.Descriptor, staging *imagedir.Staging) (*v1.Manifest, error) {
	data, err := x.read(d.Config, maxDocument)
	if err != nil {
		return nil, err
	}
	var config v1.ConfigFile
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("its %s is not the configuration of an image: %w", d.Config, err)
	}
	if got, want := len(d.Layers), len(config.RootFS.DiffIDs); got != want {
		return nil, fmt.Errorf("it has %d layers, and its configuration lists %d", got, want)
	}
	if err := os.WriteFile(staging.Path(imagedir.Config), data, imagedir.FileMode); err != nil {
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
	for n, name := range d.Layers {
		id := config.RootFS.DiffIDs[n]
		desc, err := unpackLayer(ctx, x, name, id, staging, n)
		if err != nil {
			return nil, err
		}
		// A foreign layer is still to be had from where it was.
		if source, ok := d.LayerSources[id]; ok && len(source.URLs) > 0 && source.Digest == desc.Digest {
			desc.MediaType, desc.URLs = source.MediaType, source.URLs
		}
		m.Layers = append(m.Layers, desc)
	}
	return m, nil
}

// unpackLayer writes the blob of the n-th layer.
func unpackLayer(ctx context.Context, x *index, name string, id v1.Hash, staging *imagedir.Staging, n int) (v1.Descriptor, error) {
	in, out, about := staging.Path("layer"), staging.Path(imagedir.LayerName(n, types.DockerLayer)), staging.Path("layer.json")
	defer func() {
		_ = os.Remove(in)
		_ = os.Remove(about)
	}()
	content, err := x.open(name)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if err := save(ctx, in, content); err != nil {
		return v1.Descriptor{}, fmt.Errorf("its layer %s: %w", name, err)
	}
	if err := layer.Describe(ctx, in, layer.Outputs{Blob: out, Metadata: about}); err != nil {
		return v1.Descriptor{}, fmt.Errorf("its layer %s: %w", name, err)
	}
	m, err := spec.Read[spec.LayerMetadata](about)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if m.DiffID != id.String() {
		return v1.Descriptor{}, fmt.Errorf("its layer %s unpacks to %s, and its configuration says %s; save the image anew", name, m.DiffID, id)
	}
	digest, err := v1.NewHash(m.Digest)
	return v1.Descriptor{MediaType: types.MediaType(m.MediaType), Digest: digest, Size: m.Size}, err
}

func save(ctx context.Context, path string, r io.Reader) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, imagedir.FileMode)
	if err != nil {
		return err
	}
	_, err = archive.Copy(ctx, f, r)
	return errors.Join(err, f.Close())
}
