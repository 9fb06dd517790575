package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// entry is one file of the archive.
type entry struct {
	name       string // slash-separated, below the archive's folder
	source     string // the file that has its bytes
	executable bool
}

// allowedFiles and allowedFolders are all that a release may hold besides the programs. Those that do not exist (yet) are
// left out; a new public folder is released by naming it here.
func allowedFiles() []string {
	return []string{
		"BUILD.bazel", "CHANGELOG.md", "LICENSE", "MODULE.bazel", "README.md", "WORKSPACE",
		"go.mod", "go.sum",
		"prebuilt/BUILD.bazel",
	}
}

func allowedFolders() []string {
	return []string{
		"cc", "container", "contrib", "d", "docker", "go", "groovy", "java", "kotlin", "lang", "nodejs", "oci",
		"platforms", "python", "python3", "repositories", "rust", "scala", "skylib", "source", "stamp", "toolchains", "transitions",
	}
}

func allowed(name string) bool {
	parts := strings.Split(name, "/")
	if strings.HasSuffix(name, "_test.go") || slices.Contains(parts[:len(parts)-1], "testdata") {
		return false
	}
	return slices.Contains(allowedFiles(), name) || len(parts) > 1 && slices.Contains(allowedFolders(), parts[0])
}

// contents returns the files of root that belong in the archive.
func contents(ctx context.Context, root string) ([]entry, error) {
	list := walkFiles
	if _, err := os.Lstat(filepath.Join(root, ".git")); err == nil {
		list = func(root string) ([]string, error) { return gitFiles(ctx, root) }
	}
	names, err := list(root)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, name := range names {
		if !allowed(name) {
			continue
		}
		source := filepath.Join(root, filepath.FromSlash(name))
		info, err := os.Lstat(source)
		if errors.Is(err, fs.ErrNotExist) {
			continue // tracked, but deleted in the working tree
		}
		if err != nil {
			return nil, fmt.Errorf("collecting files: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file (%s): a release holds nothing else, so remove it", name, info.Mode())
		}
		entries = append(entries, entry{name: name, source: source, executable: info.Mode()&0o100 != 0})
	}
	return entries, nil
}

// gitFiles lists what is tracked, and what is neither tracked nor ignored.
func gitFiles(ctx context.Context, root string) ([]string, error) {
	git := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	var stderr bytes.Buffer
	git.Stderr = &stderr
	out, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the checkout's files with git ls-files: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	return slices.Compact(names), nil // a file in conflict is listed once per side
}

// walkFiles lists the allowed files of a tree that is not under git, such as an unpacked source archive.
func walkFiles(root string) ([]string, error) {
	var names []string
	for _, top := range append(allowedFiles(), allowedFolders()...) {
		start := filepath.Join(root, filepath.FromSlash(top))
		err := filepath.WalkDir(start, func(file string, item fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && file == start {
				return nil
			}
			if err != nil || item.IsDir() {
				return err
			}
			below, err := filepath.Rel(start, file)
			names = append(names, path.Join(top, filepath.ToSlash(below)))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("collecting files: %w", err)
		}
	}
	return names, nil
}
