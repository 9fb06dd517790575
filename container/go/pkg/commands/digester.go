package commands

import (
	"context"
	"flag"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// digester takes the pusher's flags about the image, so that its digest is that of what
// the pusher pushes.
func digester(set *flag.FlagSet) action {
	var image imageflags.Flags
	image.Register(set)
	dst := set.String("dst", "", "`file` to write sha256:<hex> to, without a newline")
	format := set.String("format", "", "`format` of the manifest: Docker (which is also meant if it is empty) or OCI")
	return func(context.Context, Params, []string) error {
		if err := require(set, "dst"); err != nil {
			return err
		}
		parsed := push.Docker
		if *format != "" {
			var err error
			if parsed, err = push.ParseFormat(*format); err != nil {
				return err
			}
		}
		img, err := image.Load(parsed)
		if err != nil {
			return err
		}
		return outfile.WriteText(*dst, img.Digest.String())
	}
}
