package pusher

import (
	"context"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// explain says, for each destination of a run, how its registry would be reached and who
// decided that.
func explain(ctx context.Context, out io.Writer, tasks []task, client *registry.Client, keychain *registry.Keychain, host *hostconfig.Config) error {
	for _, t := range tasks {
		fmt.Fprintf(out, "%s pushes to %s\n", subject(t.plan), t.dst.ref.Name())
	}
	done := map[string]bool{}
	for _, t := range tasks {
		repo := t.dst.ref.Context()
		if !done[repo.Name()] {
			done[repo.Name()] = true
			fmt.Fprintf(out, "  %s: %s\n", repo.Name(), keychain.Source(repo))
		}
		explainLocation(out, t, host)
	}
	for _, t := range tasks {
		name := t.dst.ref.Context().RegistryStr()
		if !done[name] {
			done[name] = true
			access.Explain(ctx, out, client, name, host)
		}
	}
	return ctx.Err()
}

// explainLocation shows what registries.conf has for pulls, since it is easily taken to
// be about pushes too.
func explainLocation(out io.Writer, t task, host *hostconfig.Config) {
	endpoints, err := host.PullEndpoints(t.dst.ref)
	if err != nil {
		fmt.Fprintf(out, "  %v\n", err)
		return
	}
	for _, e := range endpoints {
		if e.Reference.Name() != t.dst.ref.Name() {
			fmt.Fprintf(out, "  a pull would try %s, by %s; a push goes where it says, as podman's does\n", e.Reference.Name(), e.File)
		}
	}
}
