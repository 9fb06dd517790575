package cli

import (
	"context"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagetest"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/launch"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// test runs the test of a target that "bazel test" starts.
func test(ctx context.Context, p Process, found launch.Plan) error {
	plan, err := spec.Read[spec.TestPlan](found.Path)
	if err != nil {
		return err
	}
	return imagetest.Run(ctx, imagetest.Params{
		Plan:    plan,
		Resolve: launch.Runfiles(found.Program, p.Getenv),
		Stdout:  p.Stdout,
		TempDir: p.Getenv("TEST_TMPDIR"),
	})
}
