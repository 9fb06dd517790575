// Package access is how a program is told, on its command line, to reach registries,
// and how it tells which way it reaches them. The pusher and the puller share it.
package access

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// insecureFlag is named where its being given counts.
const insecureFlag = "insecure-repository"

// Flags are the options about how registries are reached. What they say is said about
// every registry of the run, and before anyone else has a say.
type Flags struct {
	Insecure bool
	Explain  bool // say how registries would be reached, and do nothing else
	// Named leaves it to the program to apply Insecure, to the one registry that it was
	// told, and not to mirrors of it.
	Named bool

	plainHTTP bool
	tlsVerify bool
	cacert    string
	cert, key string

	set *flag.FlagSet
}

// Register adds the flags to set. verb is what the program does: "push".
func (f *Flags) Register(set *flag.FlagSet, verb string) {
	f.set = set
	set.BoolVar(&f.Insecure, insecureFlag, false,
		"accept a registry whose certificate cannot be verified, or that speaks plain HTTP; with =false, none, whatever the target says")
	set.BoolVar(&f.plainHTTP, "plain-http", false, "speak plain HTTP without asking for HTTPS")
	set.BoolVar(&f.tlsVerify, "tls-verify", true, "with =false, the same as -insecure-repository; with =true, verified HTTPS and nothing else")
	set.StringVar(&f.cacert, "cacert", "", "`file` with certificates of authorities to trust, in PEM form")
	set.StringVar(&f.cert, "cert", "", "`file` with the certificate to show to a registry that asks for one, in PEM form")
	set.StringVar(&f.key, "key", "", "`file` with the key of -cert; without it, the key is in the file of -cert")
	set.BoolVar(&f.Explain, "explain", false, "say how the registries would be reached, and why; "+verb+" nothing")
}

// errContradiction are options that contradict each other.
var errContradiction = errors.New("-plain-http, -insecure-repository and -tls-verify contradict each other; give one of them")

// Policy is what the command line says about every host. It reports false if it says
// nothing.
func (f *Flags) Policy() (registry.Policy, bool, error) {
	given := map[string]bool{}
	f.set.Visit(func(g *flag.Flag) { given[g.Name] = true })
	var said []registry.Policy
	for _, option := range []struct {
		name   string
		value  bool
		policy registry.Policy // if it is the lax value
		lax    bool
	}{
		{"plain-http", f.plainHTTP, registry.Policy{PlainHTTP: true}, true},
		{"tls-verify", f.tlsVerify, registry.Policy{Insecure: true}, false},
		{insecureFlag, f.Insecure, registry.Policy{Insecure: true}, true},
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
	for _, other := range said {
		lax, otherLax := said[0].PlainHTTP || said[0].Insecure, other.PlainHTTP || other.Insecure
		if lax != otherLax {
			return registry.Policy{}, false, errContradiction
		}
	}
	for _, p := range said {
		if !f.Named || p.Reason != "--"+insecureFlag {
			return p, true, nil
		}
	}
	return registry.Policy{}, false, nil
}

// Set puts what the command line says in front of the rules of opts, and the
// certificates that it names beside those of opts.TLS. userDir is where the user is,
// since bazel run changes the working directory.
func (f *Flags) Set(opts *registry.Options, userDir string) error {
	said, ok, err := f.Policy()
	if err != nil {
		return err
	}
	known, err := f.certificates(userDir)
	if err != nil {
		return err
	}
	if ok {
		opts.Rules = append([]registry.Rule{registry.Always(said)}, opts.Rules...)
	}
	machine := opts.TLS
	opts.TLS = func(name string) (registry.TLS, error) {
		if machine == nil {
			return known, nil
		}
		more, err := machine(name)
		return known.And(more), err
	}
	return nil
}

// certificates reads those that the command line names.
func (f *Flags) certificates(userDir string) (registry.TLS, error) {
	var known registry.TLS
	if f.cacert != "" {
		more, err := hostconfig.Authorities(userPath(f.cacert, userDir))
		if err != nil {
			return known, fmt.Errorf("-cacert: %w", err)
		}
		known = more
	}
	if f.key != "" && f.cert == "" {
		return known, errors.New("-key needs -cert, the certificate that it belongs to")
	}
	if f.cert == "" {
		return known, nil
	}
	key := f.key
	if key != "" {
		key = userPath(key, userDir)
	}
	more, err := hostconfig.ClientCertificate(userPath(f.cert, userDir), key)
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
