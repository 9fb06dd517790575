package hostconfig

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Endpoint is where an image may be pulled from.
type Endpoint struct {
	Reference name.Reference
	// Insecure allows unverified HTTPS and plain HTTP.
	Insecure bool
	// File says so; "" if the reference stands for itself.
	File string
}

// BlockedError is a reference that registries.conf forbids.
type BlockedError struct {
	Prefix string // of the [[registry]] table
	File   string
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("the registry %s is blocked by %s (blocked = true)", e.Prefix, e.File)
}

// table is the [[registry]] table for a repository.
type table struct {
	registry *sysregistriesv2.Registry
	file     string
}

// registriesConf are the files of containers-registries.conf(5): the main one, then
// those that are dropped in, which replace its tables.
func (c *Config) registriesConf() []string {
	main, user := c.system("etc", "containers", "registries.conf"), false
	if given := c.registriesVariable(); given != "" {
		main = given
	} else if path := c.home(".config", "containers", "registries.conf"); path != "" && len(existing([]string{path})) > 0 {
		main, user = path, true
	}
	folders := []string{c.system("etc", "containers", "registries.conf.d"), c.home(".config", "containers", "registries.conf.d")}
	if user {
		folders = folders[1:] // the user's file is instead of the system's, as podman has it
	}
	paths := []string{main}
	for _, dir := range folders {
		if dir == "" {
			continue
		}
		names, _ := folder(dir) // what cannot be listed drops nothing in
		for _, n := range names {
			if strings.HasSuffix(n, ".conf") {
				paths = append(paths, filepath.Join(dir, n))
			}
		}
	}
	return paths
}

// registriesVariable is the main file that the environment names, by the variables of
// podman and skopeo.
func (c *Config) registriesVariable() string {
	if path := c.getenv("CONTAINERS_REGISTRIES_CONF"); path != "" {
		return path
	}
	return c.getenv("REGISTRIES_CONFIG_PATH")
}

// find returns the table for a repository, or for a bare host; nil if none is.
//
// The library is given one file at a time, and what it finds there is merged as it does
// itself: a later file replaces the table of the same prefix, the longest prefix wins.
// So we know which file has spoken, and no file is read that the environment did not name.
func (c *Config) find(text string) (*table, error) {
	var best *table
	for _, path := range c.registriesConf() {
		if stateOf(path) != Read {
			if path == c.registriesVariable() {
				return nil, fmt.Errorf("%s, which CONTAINERS_REGISTRIES_CONF or REGISTRIES_CONFIG_PATH names, cannot be read", path)
			}
			continue
		}
		found, err := sysregistriesv2.FindRegistry(&types.SystemContext{
			SystemRegistriesConfPath:    path,
			SystemRegistriesConfDirPath: path + ".none", // drop-ins have their own turn
		}, text)
		if err != nil {
			return nil, fmt.Errorf("%w; correct the file, or name another by CONTAINERS_REGISTRIES_CONF", err)
		}
		if found == nil {
			continue
		}
		if best == nil || better(found.Prefix, best.registry.Prefix) {
			best = &table{registry: found, file: path}
		}
	}
	return best, nil
}

// better tells whether a later file's prefix is preferred: it is longer, the same, or,
// among two of one length, first in the alphabet.
func better(later, sooner string) bool {
	if len(later) != len(sooner) {
		return len(later) > len(sooner)
	}
	return later <= sooner
}

// CheckPush fails with a *BlockedError if registries.conf forbids repository, as it
// forbids it to podman, whatever else is allowed. Errors name the file.
func (c *Config) CheckPush(repository name.Repository) error {
	found, err := c.find(spelled(repository))
	if err != nil || found == nil || !found.registry.Blocked {
		return err
	}
	return &BlockedError{Prefix: found.registry.Prefix, File: found.file}
}

// PullEndpoints are where an image may be pulled from, in the order to try them: the
// mirrors of registries.conf, then its location or, without one, the reference itself.
// Credentials are those of the endpoint's own host, as podman has it.
//
// Errors: *BlockedError, or a file that cannot be understood.
func (c *Config) PullEndpoints(ref name.Reference) ([]Endpoint, error) {
	found, err := c.find(spelled(ref.Context()))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return []Endpoint{{Reference: ref}}, nil
	}
	if found.registry.Blocked {
		return nil, &BlockedError{Prefix: found.registry.Prefix, File: found.file}
	}
	if t := found.registry; len(t.Mirrors) == 0 && (t.Location == "" || t.Location == t.Prefix) {
		// Nothing is rewritten. So the library need not read the reference, whose grammar
		// there has no IPv6 addresses.
		return []Endpoint{{Reference: ref, Insecure: t.Insecure, File: found.file}}, nil
	}
	separator := ":"
	if _, ok := ref.(name.Digest); ok {
		separator = "@"
	}
	named, err := reference.ParseNamed(spelled(ref.Context()) + separator + ref.Identifier())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	sources, err := found.registry.PullSourcesFromReference(named)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", found.file, ref, err)
	}
	var endpoints []Endpoint
	for _, source := range sources {
		rewritten, err := name.ParseReference(source.Reference.String())
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", found.file, ref, err)
		}
		endpoints = append(endpoints, Endpoint{Reference: rewritten, Insecure: source.Endpoint.Insecure, File: found.file})
	}
	return endpoints, nil
}

// containersRule speaks about a host if the tables of all repositories there say that
// it is insecure: a table may be about a part of a registry, a decision is not.
func (c *Config) containersRule(repositories []name.Repository) registry.Rule {
	return func(ctx context.Context, host string) (registry.Policy, bool, error) {
		var endpoints []Endpoint
		for _, repo := range repositories {
			if repo.RegistryStr() != host {
				continue
			}
			endpoint := Endpoint{Reference: repo.Tag("latest")}
			found, err := c.find(spelled(repo))
			if err != nil {
				return registry.Policy{}, false, err
			}
			if found != nil {
				endpoint.Insecure, endpoint.File = found.registry.Insecure, found.file
			}
			endpoints = append(endpoints, endpoint)
		}
		return endpointsRule(endpoints)(ctx, host)
	}
}

func endpointsRule(endpoints []Endpoint) registry.Rule {
	return func(_ context.Context, host string) (registry.Policy, bool, error) {
		file := ""
		for _, e := range endpoints {
			if e.Reference.Context().RegistryStr() != host {
				continue
			}
			if !e.Insecure {
				return registry.Policy{}, false, nil
			}
			file = e.File
		}
		return registry.Policy{Insecure: true, Reason: "insecure = true in " + file}, file != "", nil
	}
}

// spelled is a repository as registries.conf has it.
func spelled(repo name.Repository) string {
	return familiar(repo.RegistryStr()) + "/" + repo.RepositoryStr()
}
