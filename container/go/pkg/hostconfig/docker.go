package hostconfig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/jsontext"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// daemonVariable names the environment variable with the path of docker's daemon.json.
const daemonVariable = "DOCKER_DAEMON_CONFIG"

// daemonJSON are docker's configuration files: the one that the environment names, or
// the system's, that of rootless docker and that of Docker Desktop.
func (c *Config) daemonJSON() []string {
	if path := c.getenv(daemonVariable); path != "" {
		return []string{path}
	}
	paths := []string{c.system("etc", "docker", "daemon.json")}
	if dir := c.getenv("ProgramData"); dir != "" {
		paths = append(paths, strings.Join([]string{dir, "docker", "config", "daemon.json"}, string(os.PathSeparator)))
	}
	for _, path := range []string{c.userConfig("docker", "daemon.json"), c.home(".docker", "daemon.json")} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// dockerRule is insecure-registries of daemon.json: hosts, with their port, and ranges
// of addresses. A range also holds a host by a name whose address is in it.
func (c *Config) dockerRule() registry.Rule {
	return func(ctx context.Context, host string) (registry.Policy, bool, error) {
		for _, path := range c.daemonJSON() {
			declared, err := insecureRegistries(path)
			if err != nil {
				return registry.Policy{}, false, err
			}
			if c.declares(ctx, declared, familiar(host)) {
				return registry.Policy{Insecure: true, Reason: "insecure-registries in " + path}, true, nil
			}
		}
		return registry.Policy{}, false, nil
	}
}

func insecureRegistries(path string) ([]string, error) {
	data, err := readFile(path)
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil, err
	}
	var daemon struct {
		Insecure []string `json:"insecure-registries"`
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := json.Unmarshal(data, &daemon); err != nil {
		return nil, fmt.Errorf("docker's %s cannot be understood: %w; correct the file, or name another by %s", path, jsontext.Locate(data, err), daemonVariable)
	}
	return daemon.Insecure, nil
}

// declares does what docker does to match a host.
func (c *Config) declares(ctx context.Context, declared []string, host string) bool {
	var ranges []*net.IPNet
	for _, entry := range declared {
		entry = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(entry), "https://"), "http://")
		if _, ipRange, err := net.ParseCIDR(entry); err == nil {
			ranges = append(ranges, ipRange)
		} else if familiar(strings.TrimSuffix(entry, "/")) == host {
			return true
		}
	}
	if len(ranges) == 0 {
		return false
	}
	for _, ip := range c.addresses(ctx, host) {
		for _, ipRange := range ranges {
			if ipRange.Contains(ip) {
				return true
			}
		}
	}
	return false
}

// addresses are those of a host. One that cannot be resolved has none, as docker has it.
func (c *Config) addresses(ctx context.Context, host string) []net.IP {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil {
		return []net.IP{ip}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := c.lookupIP(ctx, host)
	if err != nil {
		return nil
	}
	return found
}
