package builder

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/image"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func imageCommand(flags *flag.FlagSet) func(context.Context) error {
	path := flags.String("spec", "", "description of the image")
	config := flags.String("config", "", "configuration to write")
	configDigest := flags.String("config-digest", "", "file to write the configuration's hex sha256 to")
	manifest := flags.String("manifest", "", "Docker manifest to write")
	ociManifest := flags.String("oci-manifest", "", "OCI manifest to write")
	digest := flags.String("digest", "", "file to write the Docker manifest's digest to")
	return func(context.Context) error {
		if err := require(flags, "spec", "config", "manifest"); err != nil {
			return err
		}
		i, err := spec.Read[spec.Image](*path)
		if err != nil {
			return err
		}
		built, err := image.Build(i)
		if err != nil {
			return fmt.Errorf("%s: %w", i.Target, err)
		}
		return write(
			output{*config, built.Config},
			output{*configDigest, []byte(built.ConfigDigest.Hex)},
			output{*manifest, built.Manifest},
			output{*ociManifest, built.OCIManifest},
			output{*digest, []byte(built.Digest.String())},
		)
	}
}

func digestCommand(flags *flag.FlagSet) func(context.Context) error {
	manifest := flags.String("manifest", "", "manifest to digest")
	tarball := flags.String("tarball", "", "docker-save archive whose manifest to digest")
	format := flags.String("format", "Docker", "format of the tarball's manifest: Docker or OCI")
	out := flags.String("out", "", "file to write sha256:<hex> to")
	return func(context.Context) error {
		if err := require(flags, "out"); err != nil {
			return err
		}
		raw, err := readManifest(*manifest, *tarball, *format)
		if err != nil {
			return err
		}
		digest, _, err := v1.SHA256(strings.NewReader(string(raw)))
		if err != nil {
			return fmt.Errorf("computing a digest: %w", err)
		}
		return write(output{*out, []byte(digest.String())})
	}
}

// readManifest gives the manifest in a file, or the one of a docker-save archive.
func readManifest(manifest, tarball, format string) ([]byte, error) {
	switch {
	case manifest != "" && tarball != "", manifest == "" && tarball == "":
		return nil, fmt.Errorf("%w: builder digest needs either --manifest or --tarball", ErrUsage)
	case manifest != "":
		raw, err := os.ReadFile(manifest)
		if err != nil {
			return nil, err
		}
		// Whoever asks for a digest is about to push.
		return raw, push.CheckDocker(raw)
	}
	parsed, err := push.ParseFormat(format)
	if err != nil {
		return nil, err
	}
	img, err := push.FromTarball(tarball, parsed)
	if err != nil {
		return nil, err
	}
	return img.Manifest, nil
}

func tarballCommand(flags *flag.FlagSet) func(context.Context) error {
	path := flags.String("spec", "", "description of the archive")
	out := flags.String("out", "", "archive to write")
	return func(ctx context.Context) error {
		if err := require(flags, "spec", "out"); err != nil {
			return err
		}
		t, err := spec.Read[spec.Tarball](*path)
		if err != nil {
			return err
		}
		return dockersave.WriteFile(ctx, *out, t)
	}
}
