package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/jsontext"
)

// authFile is a file with credentials. It is read when it is asked, so that one that
// is broken harms nobody who finds his credentials before.
type authFile struct {
	name string // its path, or the environment variable that holds its text
	text []byte // nil if it is in the file

	known bool
	file  *configfile.ConfigFile
	err   error
}

// authFiles are those that are asked, in order.
func authFiles(dir string, getenv func(string) string) []*authFile {
	if dir != "" {
		return []*authFile{{name: filepath.Join(dir, config.ConfigFileName)}}
	}
	home := getenv("HOME")
	if home == "" {
		home = getenv("USERPROFILE")
	}
	var files []*authFile
	add := func(parts ...string) { files = append(files, &authFile{name: filepath.Join(parts...)}) }
	if file := getenv("REGISTRY_AUTH_FILE"); file != "" {
		add(file) // who sets it means it
	}
	if text := getenv(configfile.DockerEnvConfigKey); text != "" {
		files = append(files, &authFile{name: configfile.DockerEnvConfigKey, text: []byte(text)})
	}
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		add(dir, config.ConfigFileName)
	} else if home != "" {
		add(home, ".docker", config.ConfigFileName)
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		add(dir, "containers", "auth.json")
	} else if runtime.GOOS == "linux" {
		root := getenv(RootVariable)
		if root == "" {
			root = "/"
		}
		add(root, "run", "containers", strconv.Itoa(os.Getuid()), "auth.json")
	}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		add(dir, "containers", "auth.json")
	} else if home != "" {
		add(home, ".config", "containers", "auth.json")
	}
	return files
}

// read reads the file once. It returns nil where there is none.
//
// Errors name the file, and the line where it cannot be understood.
func (f *authFile) read() (*configfile.ConfigFile, error) {
	if !f.known {
		f.known = true
		f.file, f.err = f.parse()
	}
	return f.file, f.err
}

func (f *authFile) parse() (*configfile.ConfigFile, error) {
	text := f.text
	if text == nil {
		var err error
		text, err = os.ReadFile(f.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the docker configuration: %w", err)
		}
	}
	file := configfile.New(f.name)
	if err := file.LoadFromReader(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("reading the docker configuration %s: %w", f.name, jsontext.Locate(text, err))
	}
	return file, nil
}
