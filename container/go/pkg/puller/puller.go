// Package puller is the program that container_pull runs: it pulls an image into a
// directory. It takes the options that rules_docker's puller took.
package puller

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/pull"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Exit codes of Run.
const (
	exitOK          = 0
	exitFailure     = 1
	exitInterrupted = 130 // as a shell reports a program that SIGINT ended
)

// Params are what Run gets from its process.
type Params struct {
	Args []string // without the program's name
	// Stdout gets one line, the digest of what the reference names: what a tag can be
	// pinned to.
	Stdout io.Writer
	Stderr io.Writer // gets messages
	Getenv func(string) string
	// UserAgent goes with every request.
	UserAgent string
	// Registry holds further settings of the client, for tests; its rules, keychain,
	// user agent and notices are Run's.
	Registry registry.Options
	// Retry says how often and when requests are repeated.
	Retry distribution.Retry
}

// Run pulls, and returns the exit code: 0, 1 if it failed, or 130 if ctx was
// cancelled.
func Run(ctx context.Context, p Params) int {
	f, err := parseFlags(p.Args, p.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitFailure
	}
	err = run(ctx, p, f)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(p.Stderr, "interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(p.Stderr, "ERROR: %v\n", err)
	return exitFailure
}

func run(ctx context.Context, p Params, f *flags) error {
	f.name = registry.TidyReference(f.name)
	ref, err := registry.Parse(f.name)
	if err != nil {
		return fmt.Errorf("%w: %w", errPull, err)
	}
	keychain := registry.NewKeychain(f.configDir, p.Getenv)
	host := hostconfig.New(hostconfig.Env{Getenv: p.Getenv})
	endpoints, err := host.PullEndpoints(ref)
	if err != nil {
		return fmt.Errorf("%w: %w", errPull, err)
	}
	opts, err := clientOptions(p, f, ref, keychain, host, endpoints)
	if err != nil {
		return err
	}
	if f.access.Explain {
		opts.Notify = nil // it is said in its place
		return explain(ctx, p.Stdout, f, endpoints, registry.New(opts), keychain, host)
	}
	client := registry.New(opts)
	puller := pull.Puller{
		Client:  client,
		Retry:   p.Retry,
		Silence: f.silence(),
		Got:     &atomic.Int64{},
		Total:   &atomic.Int64{},
	}
	if puller.Cache, err = cache(f, p.Stderr); err != nil {
		return err
	}
	stop := report(p.Stderr, f.name, puller.Got, puller.Total)
	result, err := try(ctx, p, f, puller, endpoints)
	stop()
	var failed *attempt
	if errors.As(err, &failed) {
		return failure(f, failed.ref, failed.err, keychain)
	}
	if puller.Cache != nil {
		puller.Cache.Prune()
	}
	fmt.Fprintf(p.Stderr, "Successfully pulled image %q into %q\n", f.name, f.directory)
	fmt.Fprintln(p.Stdout, result.Named)
	return nil
}

// cache opens the cache that the flags name, if any. Without one that is shared a pull
// only takes longer.
func cache(f *flags, stderr io.Writer) (*pull.Cache, error) {
	warn := func(line string) { fmt.Fprintln(stderr, line) }
	switch {
	case f.cache != "":
		return pull.OpenCache(f.cache, warn)
	case f.shared != "":
		if shared, err := pull.OpenCache(f.shared, warn); err == nil {
			shared.Shared = true
			return shared, nil
		}
	}
	return nil, nil
}

// attempt is a pull from an endpoint that failed.
type attempt struct {
	ref name.Reference
	err error
}

func (a *attempt) Error() string { return fmt.Sprintf("%s: %v", a.ref, a.err) }

// try pulls from the first endpoint that has the image. The error is that of the
// last one, which is the registry itself and not a mirror; it is an *attempt.
func try(ctx context.Context, p Params, f *flags, puller pull.Puller, endpoints []hostconfig.Endpoint) (pull.Result, error) {
	var failed *attempt
	for _, e := range endpoints {
		if failed != nil {
			fmt.Fprintf(p.Stderr, "%v; trying %s\n", failed, e.Reference)
		}
		result, err := puller.Pull(ctx, e.Reference, f.platform, f.directory)
		if err == nil {
			return result, nil
		}
		failed = &attempt{e.Reference, puller.Client.Explain(e.Reference.Context(), err)}
		if ctx.Err() != nil {
			break
		}
	}
	return pull.Result{}, failed
}

// clientOptions say how registries are spoken to: as the command line, then the
// target and then the machine says. That a target is insecure says nothing about the
// mirrors of its registry.
func clientOptions(p Params, f *flags, ref name.Reference, keychain *registry.Keychain, host *hostconfig.Config, endpoints []hostconfig.Endpoint) (registry.Options, error) {
	insecure := map[string]string{}
	if f.access.Insecure {
		insecure[ref.Context().RegistryStr()] = f.insecureReason()
	}
	opts := p.Registry
	opts.Rules = append([]registry.Rule{registry.Insecure(insecure)}, host.PullRules(endpoints)...)
	opts.TLS = host.PullTLS
	opts.Keychain = keychain
	opts.UserAgent = p.UserAgent
	opts.Notify = func(line string) { fmt.Fprintln(p.Stderr, line) }
	err := f.access.Set(&opts, p.Getenv("BUILD_WORKING_DIRECTORY"))
	return opts, err
}
