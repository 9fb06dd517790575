package pusher

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// accessFlags are the options about how registries are reached. What they say is said
// about every registry of the run, and before anyone else has a say.
type accessFlags struct {
	insecure  bool
	plainHTTP bool
	tlsVerify bool
	cacert    string
	cert, key string
	explain   bool
}

func (a *accessFlags) register(set *flag.FlagSet) {
	set.BoolVar(&a.insecure, "insecure-repository", false,
		"accept a registry whose certificate cannot be verified, or that speaks plain HTTP; with =false, none, whatever the target says")
	set.BoolVar(&a.plainHTTP, "plain-http", false, "speak plain HTTP without asking for HTTPS")
	set.BoolVar(&a.tlsVerify, "tls-verify", true, "with =false, the same as -insecure-repository; with =true, verified HTTPS and nothing else")
	set.StringVar(&a.cacert, "cacert", "", "`file` with certificates of authorities to trust, in PEM form")
	set.StringVar(&a.cert, "cert", "", "`file` with the certificate to show to a registry that asks for one, in PEM form")
	set.StringVar(&a.key, "key", "", "`file` with the key of -cert; without it, the key is in the file of -cert")
	set.BoolVar(&a.explain, "explain", false, "say how the registries would be reached, and why; push nothing")
}

// errAccess are options that contradict each other.
var errAccess = errors.New("-plain-http, -insecure-repository and -tls-verify contradict each other; give one of them")

// policy is what the command line says about every host, if it does.
func (a *accessFlags) policy(given map[string]bool) (registry.Policy, bool, error) {
	var said []registry.Policy
	for _, option := range []struct {
		name   string
		value  bool
		policy registry.Policy // if it is the lax value
		lax    bool
	}{
		{"plain-http", a.plainHTTP, registry.Policy{PlainHTTP: true}, true},
		{"tls-verify", a.tlsVerify, registry.Policy{Insecure: true}, false},
		{"insecure-repository", a.insecure, registry.Policy{Insecure: true}, true},
	} {
		if !given[option.name] || option.name == "plain-http" && !option.value {
			continue
		}
		p := registry.Policy{}
		reason := fmt.Sprintf("--%s=%v", option.name, option.value)
		if option.value == option.lax {
			p = option.policy
		}
		if option.value && option.lax {
			reason = "--" + option.name
		}
		p.Reason = reason
		said = append(said, p)
	}
	if len(said) == 0 {
		return registry.Policy{}, false, nil
	}
	for _, other := range said[1:] {
		strict, otherStrict := said[0].PlainHTTP || said[0].Insecure, other.PlainHTTP || other.Insecure
		if strict != otherStrict {
			return registry.Policy{}, false, errAccess
		}
	}
	return said[0], true, nil
}

// tls reads the certificates that the command line names. userDir is where the user is,
// since bazel run changes the working directory.
func (a *accessFlags) tls(userDir string) (registry.TLS, error) {
	var known registry.TLS
	if a.cacert != "" {
		more, err := hostconfig.Authorities(userPath(a.cacert, userDir))
		if err != nil {
			return known, fmt.Errorf("-cacert: %w", err)
		}
		known = more
	}
	if a.key != "" && a.cert == "" {
		return known, errors.New("-key needs -cert, the certificate that it belongs to")
	}
	if a.cert == "" {
		return known, nil
	}
	key := a.key
	if key != "" {
		key = userPath(key, userDir)
	}
	more, err := hostconfig.ClientCertificate(userPath(a.cert, userDir), key)
	if err != nil {
		return known, fmt.Errorf("-cert: %w", err)
	}
	return known.And(more), nil
}

// userPath is where a relative path of the command line is meant: from the working
// directory or, if there is nothing, from where the user is.
func userPath(path, userDir string) string {
	if filepath.IsAbs(path) || userDir == "" {
		return path
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return filepath.Join(userDir, path)
}

// setAccess puts together what is said about the registries of a run: by the command
// line, then by the targets, then by the machine.
func setAccess(opts *registry.Options, p Params, f *flags, tasks []task, host *hostconfig.Config) error {
	said, ok, err := f.access.policy(f.given)
	if err != nil {
		return err
	}
	known, err := f.access.tls(p.Getenv("BUILD_WORKING_DIRECTORY"))
	if err != nil {
		return err
	}
	insecure := map[string]string{}
	var repositories []name.Repository
	for _, t := range tasks {
		repositories = append(repositories, t.dst.ref.Context())
		if t.plan.InsecureRepository {
			insecure[t.dst.ref.Context().RegistryStr()] = "insecure_repository"
		}
	}
	opts.Rules = nil
	if ok {
		opts.Rules = append(opts.Rules, registry.Always(said))
	}
	opts.Rules = append(opts.Rules, registry.Insecure(insecure))
	opts.Rules = append(opts.Rules, host.PushRules(repositories)...)
	opts.TLS = func(name string) (registry.TLS, error) {
		more, err := host.PushTLS(name)
		return known.And(more), err
	}
	return nil
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
