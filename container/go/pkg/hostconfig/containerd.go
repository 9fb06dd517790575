package hostconfig

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Capabilities of a host in hosts.toml.
const (
	push = "push"
	pull = "pull"
)

// hostsTOML is containerd's hosts.toml, as far as it is about transport.
type hostsTOML struct {
	Server string `toml:"server"`
	hostTOML
	Hosts map[string]hostTOML `toml:"host"`
}

type hostTOML struct {
	Capabilities []string `toml:"capabilities"`
	SkipVerify   bool     `toml:"skip_verify"`
	CA           any      `toml:"ca"`     // a path or several
	Client       any      `toml:"client"` // a path, several, or pairs of certificate and key
}

// containerdEntry is what containerd was told about one host.
type containerdEntry struct {
	file       string
	plain      bool
	skipVerify bool
	tls        registry.TLS
}

// containerdFolders are where containerd looks for a host; the first that exists counts.
func (c *Config) containerdFolders(host string) []string {
	names := []string{host, "_default"}
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		names = slices.Insert(names, 0, host[:i]+"_"+host[i+1:]+"_") // where a name has no colon in it
	}
	return within(c.system("etc", "containerd", "certs.d"), names)
}

// containerdRule is server and [host."..."] of hosts.toml, as far as they are about the
// host itself: where containerd would go instead of it is not our business.
func (c *Config) containerdRule(capability string) registry.Rule {
	return func(_ context.Context, host string) (registry.Policy, bool, error) {
		entry, err := c.containerd(familiar(host), capability)
		switch {
		case err != nil:
			return registry.Policy{}, false, err
		case entry.plain:
			return registry.Policy{PlainHTTP: true, Reason: "http:// in " + entry.file}, true, nil
		case entry.skipVerify:
			return registry.Policy{SkipVerify: true, Reason: "skip_verify in " + entry.file}, true, nil
		}
		return registry.Policy{}, false, nil
	}
}

func (c *Config) containerd(host, capability string) (containerdEntry, error) {
	folders := existing(c.containerdFolders(host))
	if len(folders) == 0 {
		return containerdEntry{}, nil
	}
	path := filepath.Join(folders[0], "hosts.toml")
	data, err := readFile(path)
	if err != nil {
		return containerdEntry{}, err
	}
	if len(data) == 0 {
		known, err := certificatesIn(folders[0])
		return containerdEntry{file: folders[0], tls: known}, err
	}
	var hosts hostsTOML
	meta, err := toml.Decode(string(data), &hosts)
	if err != nil {
		return containerdEntry{}, fmt.Errorf("containerd's %s cannot be understood: %w", path, err)
	}
	for _, key := range meta.Keys() {
		if len(key) != 2 || key[0] != "host" {
			continue
		}
		settings := hosts.Hosts[key[1]]
		able := len(settings.Capabilities) == 0 || slices.Contains(settings.Capabilities, capability)
		if scheme, ok := about(key[1], host); ok && able {
			return settings.entry(path, scheme)
		}
	}
	if scheme, ok := about(hosts.Server, host); ok || hosts.Server == "" {
		return hosts.entry(path, scheme)
	}
	return containerdEntry{}, nil
}

// about tells whether a server of hosts.toml is host, and the scheme it is given.
func about(server, host string) (string, bool) {
	if !strings.HasPrefix(server, "http") {
		server = "https://" + server
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", false
	}
	theirs := strings.ToLower(u.Host)
	if theirs == "registry-1.docker.io" {
		theirs = "docker.io"
	}
	return u.Scheme, port(theirs, u.Scheme) == port(host, u.Scheme)
}

// port is a host with its port written out, so that two spellings compare equal.
func port(host, scheme string) string {
	if u, err := url.Parse("//" + host); err == nil && u.Port() != "" {
		return host
	}
	if scheme == "http" {
		return host + ":80"
	}
	return host + ":443"
}

// entry reads the certificates of a host in the hosts.toml at path.
func (h hostTOML) entry(path, scheme string) (containerdEntry, error) {
	e := containerdEntry{file: path, plain: scheme == "http", skipVerify: h.SkipVerify}
	at := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(filepath.Dir(path), p)
	}
	authorities, ok := texts(h.CA)
	if !ok {
		return e, fmt.Errorf("%s: ca is the path of a file, or a list of paths", path)
	}
	for _, file := range authorities {
		known, err := Authorities(at(file))
		if err != nil {
			return e, fmt.Errorf("%s: ca: %w", path, err)
		}
		e.tls = e.tls.And(known)
	}
	pairs, ok := clientPairs(h.Client)
	if !ok {
		return e, fmt.Errorf("%s: client is the path of a file, a list of paths, or a list of pairs of paths", path)
	}
	for _, pair := range pairs {
		key := ""
		if pair[1] != "" {
			key = at(pair[1])
		}
		known, err := ClientCertificate(at(pair[0]), key)
		if err != nil {
			return e, fmt.Errorf("%s: client: %w", path, err)
		}
		e.tls = e.tls.And(known)
	}
	return e, nil
}

// texts reads a value that is one text or several.
func texts(value any) ([]string, bool) {
	switch v := value.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		var all []string
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			all = append(all, text)
		}
		return all, true
	}
	return nil, false
}

// clientPairs reads the certificates, and keys where they are in files of their own.
func clientPairs(value any) ([][2]string, bool) {
	items, many := value.([]any)
	if !many {
		items = []any{value}
	}
	if value == nil {
		return nil, true
	}
	var pairs [][2]string
	for _, item := range items {
		paths, ok := texts(item)
		if !ok || len(paths) == 0 || len(paths) > 2 {
			return nil, false
		}
		pairs = append(pairs, [2]string(append(paths, "")[:2]))
	}
	return pairs, true
}
