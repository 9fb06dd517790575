package pusher

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// explain says, for each destination of a run, how its registry would be reached and who
// decided that. It may ask a registry what it speaks, and nothing more.
func explain(ctx context.Context, out io.Writer, tasks []task, client *registry.Client, keychain *registry.Keychain, host *hostconfig.Config) error {
	done := map[string]bool{}
	for _, t := range tasks {
		fmt.Fprintf(out, "%s pushes to %s\n", subject(t.plan), t.dst.ref.Name())
	}
	for _, t := range tasks {
		repo := t.dst.ref.Context()
		explainCredentials(out, done, repo.Name(), keychain.Source(repo))
		explainLocation(out, t, host)
	}
	for _, t := range tasks {
		name := t.dst.ref.Context().RegistryStr()
		if done[name] {
			continue
		}
		done[name] = true
		fmt.Fprintf(out, "%s\n", name)
		decision, err := client.Decide(ctx, name)
		if err != nil {
			fmt.Fprintf(out, "  how it is spoken to cannot be told: %v\n", err)
			if policy, err := client.Policy(ctx, name); err == nil && policy.Reason != "" {
				fmt.Fprintf(out, "  who decides: %s\n", policy.Reason)
			}
		} else {
			explainDecision(out, decision)
		}
		for _, line := range strings.Split(lookedFor(name, host), "\n") {
			fmt.Fprintf(out, "  %s\n", line)
		}
	}
	return ctx.Err()
}

func explainDecision(out io.Writer, d registry.Decision) {
	reason := d.Reason
	if reason == "" {
		reason = "nobody says anything else"
	}
	fmt.Fprintf(out, "  spoken to over %s, because of %s\n", d.Mode, reason)
	if len(d.TLS.Files) > 0 {
		fmt.Fprintf(out, "  certificates: %d of authorities, %d of this client, from %s\n",
			len(d.TLS.Authorities), len(d.TLS.Certificates), strings.Join(d.TLS.Files, ", "))
	}
}

func explainCredentials(out io.Writer, done map[string]bool, repository string, source string) {
	if done[repository] {
		return
	}
	done[repository] = true
	fmt.Fprintf(out, "  %s: %s\n", repository, source)
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

// lookedFor lists the files that may say something about a host.
func lookedFor(name string, host *hostconfig.Config) string {
	paths := map[hostconfig.State][]string{}
	for _, file := range host.Looked(name) {
		paths[file.State] = append(paths[file.State], file.Path)
	}
	var lines []string
	for _, l := range []struct {
		state hostconfig.State
		text  string
	}{
		{hostconfig.Read, "Looked for " + name + " in: "},
		{hostconfig.Closed, "May not be read: "},
		{hostconfig.Absent, "Not there: "},
	} {
		if len(paths[l.state]) > 0 {
			lines = append(lines, l.text+strings.Join(paths[l.state], ", "))
		}
	}
	return strings.Join(lines, "\n")
}
