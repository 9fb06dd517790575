package access

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Explain prints how the registry called name would be spoken to, who decided that, and
// which files of the machine were looked at. It may ask the registry what it speaks, and
// nothing more.
func Explain(ctx context.Context, out io.Writer, client *registry.Client, name string, host *hostconfig.Config) {
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
	for _, line := range strings.Split(LookedFor(name, host), "\n") {
		fmt.Fprintf(out, "  %s\n", line)
	}
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

// LookedFor lists the files of the machine that may say something about a host.
func LookedFor(name string, host *hostconfig.Config) string {
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

// CredentialFiles lists where credentials were looked for.
func CredentialFiles(keychain *registry.Keychain) string {
	files := keychain.Looked()
	if len(files) == 0 {
		return "There is no configuration file to look for credentials in: neither HOME nor DOCKER_CONFIG is set."
	}
	return "Looked for credentials in: " + strings.Join(files, ", ")
}

// ProxyAdvice is what to do about a proxy in the way to a registry.
func ProxyAdvice(host string) string {
	return fmt.Sprintf("If %[1]s is to be reached without a proxy, say so in the environment: NO_PROXY=%[1]s, or more of them with commas between.", host)
}
