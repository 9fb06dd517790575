package puller

import (
	"context"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// explain says where the image would be pulled from, in the order in which the places
// would be tried, and how each registry would be reached.
func explain(ctx context.Context, out io.Writer, f *flags, endpoints []hostconfig.Endpoint, client *registry.Client, keychain *registry.Keychain, host *hostconfig.Config) error {
	subject := f.target
	if subject == "" {
		subject = "puller"
	}
	fmt.Fprintf(out, "%s pulls %s\n", subject, f.name)
	for _, e := range endpoints {
		fmt.Fprintf(out, "  from %s", e.Reference.Name())
		if e.File != "" {
			fmt.Fprintf(out, ", by %s", e.File)
		}
		fmt.Fprintf(out, "\n  %s: %s\n", e.Reference.Context().Name(), keychain.Source(e.Reference.Context()))
	}
	done := map[string]bool{}
	for _, e := range endpoints {
		name := e.Reference.Context().RegistryStr()
		if !done[name] {
			done[name] = true
			access.Explain(ctx, out, client, name, host)
		}
	}
	return ctx.Err()
}
