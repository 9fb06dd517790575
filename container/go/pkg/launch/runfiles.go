package launch

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// ErrNotFound says that a file is in none of the runfiles that belong to a program.
var ErrNotFound = errors.New("not in the runfiles")

// Resolver turns a runfiles path ("workspace/package/file", with slashes) into the
// path of a file that exists.
type Resolver func(runfilesPath string) (string, error)

// Runfiles returns the resolver for the program at argv0, an absolute path or one
// relative to the working directory. getenv reads the environment. It looks, in
// this order, in
//
//   - the program's own runfiles: NAME.runfiles or NAME.runfiles_manifest, with or
//     without .exe;
//   - the runfiles that the program is part of, the innermost first;
//   - RUNFILES_DIR, RUNFILES_MANIFEST_FILE and PYTHON_RUNFILES.
//
// Errors of the resolver match ErrNotFound and name what was tried.
func Runfiles(argv0 string, getenv func(string) string) Resolver {
	roots := findRoots(argv0, getenv)
	return func(runfilesPath string) (string, error) {
		clean := path.Clean(runfilesPath)
		if runfilesPath == "" || !filepath.IsLocal(filepath.FromSlash(clean)) {
			return "", fmt.Errorf("%q is not a runfiles path", runfilesPath)
		}
		tried := make([]string, 0, len(roots))
		missing := ""
		for _, root := range roots {
			file, err := root.locate(clean)
			if err == nil {
				if _, err = os.Stat(file); err == nil {
					return file, nil
				}
				if _, dangling := os.Readlink(file); root.lists || dangling == nil {
					missing = file
				}
			}
			tried = append(tried, root.path)
		}
		if missing != "" {
			return "", fmt.Errorf("%s: %w of %s: Bazel lists it, but %s is not there. If it was left in a remote cache, "+
				"use --remote_download_toplevel; with --remote_download_minimal, bazel run fetches what it needs only "+
				"since Bazel 6", clean, ErrNotFound, argv0, missing)
		}
		if len(tried) == 0 {
			return "", fmt.Errorf("%s: %w: there are no runfiles beside %s, and neither RUNFILES_DIR nor "+
				"RUNFILES_MANIFEST_FILE is set; start the program with bazel run, or from bazel-bin",
				clean, ErrNotFound, argv0)
		}
		return "", fmt.Errorf("%s: %w of %s; tried %s", clean, ErrNotFound, argv0, strings.Join(tried, ", "))
	}
}

// root is one directory or manifest to look in.
type root struct {
	path   string
	lists  bool // whether what it locates is what Bazel lists
	locate func(string) (string, error)
}

func findRoots(argv0 string, getenv func(string) string) []root {
	program, err := filepath.Abs(argv0)
	if err != nil {
		program = argv0
	}
	var roots []root
	for _, p := range places(program, runtime.GOOS, getenv) {
		if p.manifest {
			roots = append(roots, manifests(p.path)...)
		} else if info, err := os.Stat(p.path); err == nil && info.IsDir() {
			roots = append(roots, directory(p.path))
		}
	}
	return roots
}

// directory looks in a runfiles directory. The runfiles library would prefer a
// manifest of the environment, which belongs to whoever started this program.
func directory(dir string) root {
	return root{path: dir, locate: func(p string) (string, error) {
		return filepath.Join(dir, filepath.FromSlash(p)), nil
	}}
}

// manifests is the root of a runfiles manifest, none if there is no such file.
func manifests(file string) []root {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	// The paths in a plan are canonical: as no repository is called "-", the mapping
	// of apparent names does not apply to them.
	r, err := runfiles.New(runfiles.ManifestFile(file), runfiles.SourceRepo("-"))
	if err != nil {
		return []root{{path: file, locate: func(string) (string, error) { return "", err }}}
	}
	return []root{{path: file, lists: true, locate: r.Rlocation}}
}
