package pusher

import (
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// setAccess puts together what is said about the registries of a run: by the command
// line, then by the targets, then by the machine.
func setAccess(opts *registry.Options, p Params, f *flags, tasks []task, host *hostconfig.Config) error {
	insecure := map[string]string{}
	var repositories []name.Repository
	for _, t := range tasks {
		repositories = append(repositories, t.dst.ref.Context())
		if t.plan.InsecureRepository {
			insecure[t.dst.ref.Context().RegistryStr()] = "insecure_repository"
		}
	}
	opts.Rules = append([]registry.Rule{registry.Insecure(insecure)}, host.PushRules(repositories)...)
	opts.TLS = host.PushTLS
	return f.access.Set(opts, p.Getenv("BUILD_WORKING_DIRECTORY"))
}

// checkBlocked fails if the machine forbids one of the destinations. Nothing is pushed
// then: half a run helps nobody.
func checkBlocked(tasks []task, host *hostconfig.Config) error {
	for _, t := range tasks {
		err := host.CheckPush(t.dst.ref.Context())
		var blocked *hostconfig.BlockedError
		if errors.As(err, &blocked) {
			return fmt.Errorf("%s: cannot push to %s: %w; push elsewhere, or change that file", subject(t.plan), t.dst.text, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", subject(t.plan), err)
		}
	}
	return nil
}
