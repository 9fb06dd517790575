package commands

import (
	"bytes"
	"context"
	"flag"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagetest"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/savedimage"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func extractImageID(*flag.FlagSet) action {
	return func(ctx context.Context, p Params, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: it takes one archive, and got %d arguments", ErrUsage, len(args))
		}
		config, err := savedimage.Config(ctx, args[0], "")
		if err != nil {
			return err
		}
		id, _, err := v1.SHA256(bytes.NewReader(config))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.Stdout, id.Hex)
		return err
	}
}

// compareIDs is the test of the rule of that name, for archives on the command line.
func compareIDs(set *flag.FlagSet) action {
	id := set.String("id", "", "`id` that the images have to have; by default that of the first")
	return func(ctx context.Context, p Params, args []string) error {
		test := spec.SameIDTest{ID: *id}
		for _, path := range args {
			test.Images = append(test.Images, spec.IDSource{Name: path, Tarball: path})
		}
		return imagetest.Run(ctx, imagetest.Params{
			Plan:    spec.TestPlan{Version: spec.Version, Target: "images", SameID: &test},
			Resolve: func(path string) (string, error) { return path, nil },
			Stdout:  p.Stdout,
		})
	}
}
