// Package launch finds what a program that "bazel run" starts was made for. An
// executable target is a symbolic link to one multi-call program; the plan that
// says what this target does lies beside the link, and the files that the plan
// names are in its runfiles.
package launch

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Kind tells which document a plan is.
type Kind string

const (
	Push Kind = "push" // a spec.PushPlan
	Load Kind = "load" // a spec.LoadPlan
	Test Kind = "test" // a spec.TestPlan
)

// maxLinks bounds how many symbolic links are followed, as the kernel does.
const maxLinks = 40

// Plan is a hand-over document found beside a program.
type Plan struct {
	Path string // of the document
	Kind Kind
	// Program is the path of the executable target: absolute, and without the .exe
	// of Windows.
	Program string
}

// Find looks for a plan beside the program that was started as argv0: NAME.push.json,
// NAME.load.json or NAME.test.json beside NAME. An argv0 without a directory is looked up on PATH.
// Where NAME is itself a link to a target's executable, the plan beside that one is
// found. It reports false when there is none: the program was called by its own name.
//
// os.Executable would not do, since it resolves the very link that carries the name.
func Find(argv0 string) (Plan, bool) {
	return find(argv0, runtime.GOOS)
}

func find(argv0, goos string) (Plan, bool) {
	for _, path := range chain(argv0, goos) {
		for _, plan := range plans(path, goos) {
			if info, err := os.Stat(plan.Path); err == nil && info.Mode().IsRegular() {
				return plan, true
			}
		}
	}
	return Plan{}, false
}

// Names are what the program that was started as argv0 is called: the base name of the
// executable and, if that is a symbolic link, of each that it leads to, all without the
// .exe of Windows.
func Names(argv0 string) []string {
	names := []string{name(argv0, runtime.GOOS)}
	for _, path := range chain(argv0, runtime.GOOS) {
		names = append(names, name(path, runtime.GOOS))
	}
	return names
}

// chain is the path of the executable, absolute, and where that is a symbolic link the
// path that it leads to, and so on.
func chain(argv0, goos string) []string {
	if argv0 == "" {
		return nil
	}
	if !strings.ContainsAny(argv0, separators(goos)) {
		found, err := exec.LookPath(argv0)
		if err != nil && found == "" {
			return nil
		}
		argv0 = found
	}
	path, err := filepath.Abs(argv0)
	if err != nil {
		return nil
	}
	paths := []string{path}
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
		paths = append(paths, path)
	}
	return paths
}
