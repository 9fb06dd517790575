package launch

import (
	"path/filepath"
	"strings"
)

// Paths are taken apart here and not by path/filepath, which knows only the system that
// it is compiled for, so that what happens on Windows can be tested anywhere.

const windows = "windows"

// separators are the characters that end a directory's name; the first is the usual one.
func separators(goos string) string {
	if goos == windows {
		return `\/`
	}
	return "/"
}

// parent returns the directory that holds path, and false at a root: "/", `C:\`, or the
// server of `\\server\share`.
func parent(path, goos string) (string, bool) {
	at := strings.LastIndexAny(path, separators(goos))
	if at <= 0 {
		return "", false
	}
	dir := strings.TrimRight(path[:at], separators(goos))
	if dir == "" || goos == windows && strings.HasSuffix(dir, ":") {
		return "", false
	}
	return dir, true
}

// join adds a name to a directory.
func join(dir, name, goos string) string { return dir + separators(goos)[:1] + name }

// name is what a program is called: its path without directories and the .exe of Windows.
func name(argv0, goos string) string {
	base := argv0[strings.LastIndexAny(argv0, separators(goos))+1:]
	if ext := filepath.Ext(base); strings.EqualFold(ext, ".exe") {
		return strings.TrimSuffix(base, ext)
	}
	return base
}

// trimExe cuts off the .exe that an executable has on Windows. Elsewhere it is a part
// of the target's name.
func trimExe(path, goos string) string {
	if ext := filepath.Ext(path); goos == windows && strings.EqualFold(ext, ".exe") {
		return strings.TrimSuffix(path, ext)
	}
	return path
}

// plans are where the plan of an executable may be.
func plans(path, goos string) []Plan {
	program := trimExe(path, goos)
	var found []Plan
	for _, kind := range []Kind{Push, Load, Test} {
		found = append(found, Plan{Path: program + "." + string(kind) + ".json", Kind: kind, Program: program})
	}
	return found
}

// place is where runfiles may be: a directory, or a manifest that lists them.
type place struct {
	path     string
	manifest bool
}

// places are those that count for a program at an absolute path, in their order.
func places(program, goos string, getenv func(string) string) []place {
	var found []place
	addDirectory := func(dir string) {
		// With --nobuild_runfile_links, as on Windows, it holds its manifest and nothing else.
		found = append(found, place{path: dir}, place{path: join(dir, "MANIFEST", goos), manifest: true})
	}

	// A plan's program has no .exe; its runfiles on Windows do.
	bases := []string{program, program + ".exe"}
	if ext := filepath.Ext(program); strings.EqualFold(ext, ".exe") {
		bases[1] = strings.TrimSuffix(program, ext)
	}
	for _, base := range bases {
		addDirectory(base + ".runfiles")
		found = append(found, place{path: base + ".runfiles_manifest", manifest: true})
	}

	for dir, ok := parent(program, goos); ok; dir, ok = parent(dir, goos) {
		if strings.HasSuffix(dir, ".runfiles") {
			addDirectory(dir)
			found = append(found, place{path: dir + "_manifest", manifest: true})
		}
	}

	if dir := getenv("RUNFILES_DIR"); dir != "" {
		addDirectory(dir)
	}
	if file := getenv("RUNFILES_MANIFEST_FILE"); file != "" {
		found = append(found, place{path: file, manifest: true})
	}
	if dir := getenv("PYTHON_RUNFILES"); dir != "" {
		addDirectory(dir)
	}
	return found
}
