package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/cli/cli/config"
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
	dir    string
	getenv func(string) string

	mu     sync.Mutex
	once   sync.Once
	files  []*configfile.ConfigFile
	looked []string
	failed []string // stores that do not work, in words, not yet told to the user
	err    error
}

// NewKeychain returns the keychain of a docker configuration directory. With an
// empty dir the files of Looked are asked one after the other, until one of them has
// credentials for the registry. getenv reads the environment.
func NewKeychain(dir string, getenv func(string) string) *Keychain {
	return &Keychain{dir: dir, getenv: getenv}
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
	files, err := k.load()
	if err != nil {
		return nil, "", err
	}
	for _, file := range files {
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
	found, err := file.GetAuthConfig(registry)
	if err != nil {
		err = withoutSecret(err)
	}
	if err != nil && file.CredentialHelpers[registry] != "" {
		return types.AuthConfig{}, "", fmt.Errorf("docker-credential-%s, which %s names in credHelpers for %s: %w",
			helper(file, registry), file.Filename, registry, err)
	}
	if err != nil {
		k.failed = append(k.failed, fmt.Sprintf("WARNING: docker-credential-%s, which %s names as credsStore, does not work for %s: %v",
			helper(file, registry), file.Filename, registry, err))
		if found, err = credentials.NewFileStore(file).Get(registry); err != nil {
			return types.AuthConfig{}, "", fmt.Errorf("%s: %w", file.Filename, err)
		}
	}
	if found = plain(found); found != (types.AuthConfig{}) {
		return found, registry, nil
	}
	if found = plain(file.AuthConfigs["docker.io"]); registry == authn.DefaultAuthKey && found != (types.AuthConfig{}) {
		return found, "docker.io", nil
	}
	return types.AuthConfig{}, "", nil
}

// withoutSecret is the error of a helper, which quotes what the helper printed, without
// that if it printed credentials and failed for all that.
func withoutSecret(err error) error {
	said, printed, ok := strings.Cut(err.Error(), "out: `")
	if ok && strings.Contains(strings.ToLower(printed), `"secret"`) {
		return errors.New(said + "out: [redacted]")
	}
	return err
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
// first file that has any.
func (k *Keychain) Headers() (map[string]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	files, err := k.load()
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	for _, file := range files {
		if len(headers) > 0 {
			break
		}
		for key, value := range file.HTTPHeaders {
			if !strings.EqualFold(key, "User-Agent") {
				headers[key] = value
			}
		}
	}
	return headers, nil
}

// Looked are the configuration files that are looked at, in order: that of the
// directory given, and no other; or podman's REGISTRY_AUTH_FILE, docker's
// ($DOCKER_CONFIG or ~/.docker), and podman's auth.json in $XDG_RUNTIME_DIR/containers
// (/run/containers/UID if unset) and $XDG_CONFIG_HOME/containers.
func (k *Keychain) Looked() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, _ = k.load()
	return k.looked
}

// load reads the configuration files there are.
func (k *Keychain) load() ([]*configfile.ConfigFile, error) {
	k.once.Do(func() {
		k.looked = k.paths()
		for _, path := range k.looked {
			file, err := read(path)
			if err != nil {
				k.err = err
				return
			}
			if file != nil {
				k.files = append(k.files, file)
			}
		}
	})
	return k.files, k.err
}

func (k *Keychain) paths() []string {
	if k.dir != "" {
		return []string{filepath.Join(k.dir, config.ConfigFileName)}
	}
	home := k.getenv("HOME")
	if home == "" {
		home = k.getenv("USERPROFILE")
	}
	var paths []string
	if file := k.getenv("REGISTRY_AUTH_FILE"); file != "" {
		paths = append(paths, file) // who sets it means it
	}
	if dir := k.getenv("DOCKER_CONFIG"); dir != "" {
		paths = append(paths, filepath.Join(dir, config.ConfigFileName))
	} else if home != "" {
		paths = append(paths, filepath.Join(home, ".docker", config.ConfigFileName))
	}
	if dir := k.getenv("XDG_RUNTIME_DIR"); dir != "" {
		paths = append(paths, filepath.Join(dir, "containers", "auth.json"))
	} else if runtime.GOOS == "linux" {
		root := k.getenv(RootVariable)
		if root == "" {
			root = "/"
		}
		paths = append(paths, filepath.Join(root, "run", "containers", strconv.Itoa(os.Getuid()), "auth.json"))
	}
	if dir := k.getenv("XDG_CONFIG_HOME"); dir != "" {
		paths = append(paths, filepath.Join(dir, "containers", "auth.json"))
	} else if home != "" {
		paths = append(paths, filepath.Join(home, ".config", "containers", "auth.json"))
	}
	return paths
}

// read parses a configuration file. It returns nil where there is none.
func read(path string) (*configfile.ConfigFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the docker configuration: %w", err)
	}
	defer f.Close()
	file := configfile.New(path)
	if err := file.LoadFromReader(f); err != nil {
		return nil, fmt.Errorf("reading the docker configuration %s: %w", path, err)
	}
	return file, nil
}
