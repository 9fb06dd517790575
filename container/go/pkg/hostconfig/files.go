package hostconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// State is what was found at a path.
type State int

const (
	// Absent is a file that is not there.
	Absent State = iota
	// Read is a file that was read.
	Read
	// Closed is a file that the user may not read. It is passed over: the tool that it
	// belongs to runs as somebody else.
	Closed
)

// File is a configuration file or folder that is looked at.
type File struct {
	Path  string
	State State
}

// Looked are the files and folders that are looked at for host, in the order in which
// they are asked, and then what in a folder of certificates may not be read.
func (c *Config) Looked(host string) []File {
	host = familiar(host)
	paths := c.registriesConf()
	paths = append(paths, c.daemonJSON()...)
	paths = append(paths, c.containerdFolders(host)...)
	certificates := append(c.containersCertificates(host), c.dockerCertificates(host)...)
	var files []File
	for _, path := range append(paths, certificates...) {
		files = append(files, File{Path: path, State: stateOf(path)})
	}
	for _, dir := range certificates {
		names, _ := folder(dir) // what cannot be listed was told of
		for _, path := range within(dir, names) {
			if state := stateOf(path); state == Closed {
				files = append(files, File{Path: path, State: state})
			}
		}
	}
	return files
}

func stateOf(path string) State {
	f, err := os.Open(path)
	switch {
	case err == nil:
		_ = f.Close()
		return Read
	case errors.Is(err, fs.ErrPermission):
		return Closed
	}
	return Absent
}

// readFile is the content of a file, nil if it is not there or may not be read.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the registry configuration: %w", err)
	}
	return data, nil
}

// folder are the names in a folder, sorted; none if it is not there or may not be read.
func folder(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the registry configuration: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// existing is what of the paths is there, whether it may be read or not.
func existing(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		_, err := os.Stat(path)
		return err != nil
	})
}

// within are the paths of names in dir.
func within(dir string, names []string) []string {
	var paths []string
	for _, n := range names {
		paths = append(paths, filepath.Join(dir, n))
	}
	return paths
}
