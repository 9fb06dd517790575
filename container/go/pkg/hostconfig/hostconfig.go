// Package hostconfig reads what a machine's container tools were told about
// registries: podman's and skopeo's registries.conf, docker's daemon.json, containerd's
// hosts.toml and everybody's certs.d. It only reads; what becomes of it is decided by
// package registry.
package hostconfig

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Env is what the configuration of a machine is found by.
type Env struct {
	// Getenv reads the environment. The folder that registry.RootVariable names takes the
	// place of / for the files of the system; those of the user are found by HOME.
	Getenv func(string) string
	// LookupIP finds the addresses of a host for docker's address ranges; nil asks the
	// system.
	LookupIP func(ctx context.Context, host string) ([]net.IP, error)
}

// Config is the registry configuration of a machine. It reads a file when something is
// asked that the file may answer, so one that is broken harms nobody who does not
// need it. It is safe for concurrent use.
type Config struct {
	getenv   func(string) string
	lookupIP func(ctx context.Context, host string) ([]net.IP, error)
}

// New returns the configuration of the machine that env describes.
func New(env Env) *Config {
	c := &Config{getenv: env.Getenv, lookupIP: env.LookupIP}
	if c.lookupIP == nil {
		c.lookupIP = func(ctx context.Context, host string) ([]net.IP, error) {
			return net.DefaultResolver.LookupIP(ctx, "ip", host)
		}
	}
	return c
}

// lookupTimeout bounds the question for a host's addresses: a machine without a name
// server shall not wait for one.
const lookupTimeout = 3 * time.Second

// PushRules are the rules of the machine about the hosts of the repositories that are
// going to be pushed to, in the order in which they are asked. Their errors name the
// file that cannot be understood.
func (c *Config) PushRules(repositories []name.Repository) []registry.Rule {
	return []registry.Rule{c.containersRule(repositories), c.dockerRule(), c.containerdRule(push)}
}

// PullRules are the rules of the machine about the hosts of endpoints, which are
// PullEndpoints' answers.
func (c *Config) PullRules(endpoints []Endpoint) []registry.Rule {
	return []registry.Rule{endpointsRule(endpoints), c.dockerRule(), c.containerdRule(pull)}
}

// PushTLS is what the machine knows about the certificates of a host that is pushed to.
func (c *Config) PushTLS(host string) (registry.TLS, error) { return c.tls(host, push) }

// PullTLS is what the machine knows about the certificates of a host that is pulled from.
func (c *Config) PullTLS(host string) (registry.TLS, error) { return c.tls(host, pull) }

// tls puts together what all tools know.
//
// Errors name the file.
func (c *Config) tls(host string, capability string) (registry.TLS, error) {
	host = familiar(host)
	known, err := c.certificates(host)
	if err != nil {
		return registry.TLS{}, err
	}
	entry, err := c.containerd(host, capability)
	if err != nil {
		return registry.TLS{}, err
	}
	return known.And(entry.tls), nil
}

// familiar is a host as configuration files spell it.
func familiar(host string) string {
	if host == name.DefaultRegistry {
		return "docker.io"
	}
	return strings.ToLower(host)
}

// system is the path of a file of the system.
func (c *Config) system(parts ...string) string {
	root := c.getenv(registry.RootVariable)
	if root == "" {
		root = string(filepath.Separator)
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// home is the path of a file of the user, "" if there is no home.
func (c *Config) home(parts ...string) string {
	dir := c.getenv("HOME")
	if dir == "" {
		dir = c.getenv("USERPROFILE")
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

// userConfig is the path of a file in the user's configuration folder, "" without one.
func (c *Config) userConfig(parts ...string) string {
	if dir := c.getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(append([]string{dir}, parts...)...)
	}
	return c.home(append([]string{".config"}, parts...)...)
}
