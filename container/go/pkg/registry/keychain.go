package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// RootVariable names the environment variable whose value, a folder, takes the place of
// / for the files of the system.
const RootVariable = "RULES_DOCKER_CONFIG_ROOT"

// Keychain finds credentials where docker and podman keep theirs, credential
// helpers included. It implements go-containerregistry's authn.Keychain.
type Keychain struct {
	mu     sync.Mutex
	files  []*authFile
	failed []string // what does not work, in words, not yet told to the user
}

// NewKeychain returns the keychain of a docker configuration directory. With an
// empty dir the files of Looked are asked one after the other, until one of them has
// credentials for the registry. getenv reads the environment.
func NewKeychain(dir string, getenv func(string) string) *Keychain {
	return &Keychain{files: authFiles(dir, getenv)}
}

// Resolve implements authn.Keychain.
//
// Errors name the file, and the credential helper if that is what failed.
func (k *Keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	auth, _, err := k.find(target)
	return auth, err
}

// Source says in words where the credentials for target come from, without any secret.
func (k *Keychain) Source(target authn.Resource) string {
	_, source, err := k.find(target)
	switch {
	case err != nil:
		return fmt.Sprintf("no credentials: %v", err)
	case source == "":
		return "no credentials, since none were found in: " + strings.Join(k.Looked(), ", ")
	}
	return "credentials from " + source
}

// find returns the credentials for target and where they were found.
func (k *Keychain) find(target authn.Resource) (authn.Authenticator, string, error) {
	k.mu.Lock() // the files' stores are not safe for concurrent use
	defer k.mu.Unlock()
	for _, f := range k.files {
		file, err := f.read()
		if errors.Is(err, fs.ErrPermission) {
			k.failed = append(k.failed, fmt.Sprintf("WARNING: %s may not be read, so no credentials are taken from it", f.name))
			continue
		}
		if err != nil {
			return nil, "", err
		}
		if file == nil {
			continue
		}
		found, key, err := k.credentials(file, target)
		if err != nil {
			return nil, "", err
		}
		if found == (types.AuthConfig{}) {
			continue
		}
		source := fmt.Sprintf("%s (%s)", file.Filename, key)
		if helper := helper(file, key); helper != "" {
			source = fmt.Sprintf("docker-credential-%s (%s), by %s", helper, key, file.Filename)
		}
		return authn.FromConfig(authn.AuthConfig{
			Username:      found.Username,
			Password:      found.Password,
			Auth:          found.Auth,
			IdentityToken: found.IdentityToken,
			RegistryToken: found.RegistryToken,
		}), source, nil
	}
	return authn.Anonymous, "", nil
}

// credentials asks one file: for the repository, then for what it is in, down to the
// registry (containers-auth.json(5), "FORMAT"). Helpers know registries only.
//
// A helper for this very registry that fails is an error. The store for all registries
// may be that of another machine, and most registries may not be in it: the user is told,
// and what the file itself has is taken.
func (k *Keychain) credentials(file *configfile.ConfigFile, target authn.Resource) (types.AuthConfig, string, error) {
	registry, spelled := target.RegistryStr(), target.String()
	if registry == name.DefaultRegistry { // which has a name of its own in each of the files
		registry, spelled = authn.DefaultAuthKey, "docker.io"+strings.TrimPrefix(spelled, name.DefaultRegistry)
	}
	for key := spelled; strings.Contains(key, "/"); key = key[:strings.LastIndexByte(key, '/')] {
		if found := plain(file.AuthConfigs[key]); found != (types.AuthConfig{}) {
			return found, key, nil
		}
	}
	if helper := helper(file, registry); helper != "" {
		found, err := credentials.NewNativeStore(file, helper).Get(registry)
		if err != nil {
			err = errors.New(withoutSecrets(err.Error())) // it has all that the helper said
		}
		switch found = plain(found); {
		case err != nil && file.CredentialHelpers[registry] != "":
			return types.AuthConfig{}, "", fmt.Errorf("docker-credential-%s, which %s names in credHelpers for %s: %w",
				helper, file.Filename, registry, err)
		case err != nil:
			k.failed = append(k.failed, fmt.Sprintf("WARNING: docker-credential-%s, which %s names as credsStore, does not work for %s: %v",
				helper, file.Filename, registry, err))
		case found != (types.AuthConfig{}):
			return found, registry, nil
		}
	}
	found, key := own(file, registry)
	return found, key, nil
}

// own is what a file itself has for a registry, and under which key: its name, or an
// address as docker used to write it. A name with a path is that of a part of the
// registry, and says nothing about the others.
func own(file *configfile.ConfigFile, registry string) (types.AuthConfig, string) {
	names := []string{registry}
	if registry == authn.DefaultAuthKey {
		names = append(names, "docker.io")
	}
	for _, key := range slices.Sorted(maps.Keys(file.AuthConfigs)) {
		if strings.Contains(key, "://") && credentials.ConvertToHostname(key) == registry || key == registry+"/" {
			names = append(names, key)
		}
	}
	for _, key := range names {
		if found := plain(file.AuthConfigs[key]); found != (types.AuthConfig{}) {
			return found, key
		}
	}
	return types.AuthConfig{}, ""
}

// plain is found without what is no credential.
func plain(found types.AuthConfig) types.AuthConfig {
	found.ServerAddress = "" // always set
	return found
}

// helper is the credential helper that a file names for a registry.
func helper(file *configfile.ConfigFile, key string) string {
	if h := file.CredentialHelpers[key]; h != "" {
		return h
	}
	return file.CredentialsStore
}

// failures are the stores that did not work since it was asked last, in words.
func (k *Keychain) failures() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	failed := k.failed
	k.failed = nil
	return failed
}

// Headers are the HttpHeaders of the configuration, except User-Agent: those of the
// first file that has any. What cannot be read has none; who needs it says so.
func (k *Keychain) Headers() map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.files {
		file, err := f.read()
		if err != nil || file == nil {
			continue
		}
		headers := map[string]string{}
		for key, value := range file.HTTPHeaders {
			if !strings.EqualFold(key, "User-Agent") {
				headers[key] = value
			}
		}
		if len(headers) > 0 {
			return headers
		}
	}
	return nil
}

// Looked are what is looked at, in order: the configuration file of the directory given,
// and no other; or podman's REGISTRY_AUTH_FILE, docker's DOCKER_AUTH_CONFIG (which is no
// file, but the content of one) and config.json ($DOCKER_CONFIG or ~/.docker), and podman's
// auth.json in $XDG_RUNTIME_DIR/containers (/run/containers/UID if unset) and
// $XDG_CONFIG_HOME/containers.
func (k *Keychain) Looked() []string {
	var names []string
	for _, f := range k.files {
		names = append(names, f.name)
	}
	return names
}
