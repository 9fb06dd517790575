// Package workspace makes a Bazel workspace that uses the release archive, as a
// user's does, out of one that is kept in the repository.
package workspace

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ArchiveVariable is the environment variable that names the release archive.
const ArchiveVariable = "RULES_DOCKER_ARCHIVE"

// Release is the archive that a user's WORKSPACE names.
type Release struct {
	URL         string // file://...
	SHA256      string // hex
	Integrity   string // the same sum, as MODULE.bazel has it
	StripPrefix string // the folder that everything in the archive is in
	Version     string // e.g. "0.1.0"
}

// FindRelease describes the archive that ArchiveVariable names.
func FindRelease() (Release, error) {
	path := os.Getenv(ArchiveVariable)
	if path == "" {
		return Release{}, fmt.Errorf("the environment variable %s must name the release archive; make release makes one", ArchiveVariable)
	}
	return OpenRelease(path)
}

// OpenRelease describes the archive at path, a gzip-compressed tar.
func OpenRelease(path string) (Release, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Release{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return Release{}, fmt.Errorf("opening the release archive: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	in := io.TeeReader(f, hash)
	plain, err := gzip.NewReader(in)
	if err != nil {
		return Release{}, fmt.Errorf("reading the release archive %s: %w", path, err)
	}
	first, err := tar.NewReader(plain).Next()
	if err != nil {
		return Release{}, fmt.Errorf("reading the release archive %s: %w", path, err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return Release{}, fmt.Errorf("reading the release archive %s: %w", path, err)
	}
	folder, _, _ := strings.Cut(first.Name, "/")
	_, version, _ := strings.Cut(folder, "-")
	sum := hash.Sum(nil)
	return Release{
		URL:         "file://" + path,
		SHA256:      hex.EncodeToString(sum),
		Integrity:   "sha256-" + base64.StdEncoding.EncodeToString(sum),
		StripPrefix: folder,
		Version:     version,
	}, nil
}

// Extract writes regular files of the archive to a directory, which is made. Names are
// relative to the archive's folder; one that it does not hold is an error.
func (r Release) Extract(dir string, names ...string) error {
	f, err := os.Open(strings.TrimPrefix(r.URL, "file://"))
	if err != nil {
		return fmt.Errorf("opening the release archive: %w", err)
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("reading the release archive: %w", err)
	}
	missing := map[string]bool{}
	for _, name := range names {
		missing[r.StripPrefix+"/"+name] = true
	}
	for archive := tar.NewReader(plain); len(missing) > 0; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %v", errNotReleased, slices.Sorted(maps.Keys(missing)))
		}
		if err != nil {
			return fmt.Errorf("reading the release archive: %w", err)
		}
		if !missing[header.Name] {
			continue
		}
		delete(missing, header.Name)
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(header.Name, r.StripPrefix+"/")))
		if err := writeMember(to, archive, header.FileInfo().Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

var errNotReleased = errors.New("not in the release archive")

func writeMember(path string, content io.Reader, mode fs.FileMode) error {
	data, err := io.ReadAll(content)
	if err != nil {
		return fmt.Errorf("reading the release archive: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, mode)
}

// Replacements fills the placeholders of WORKSPACE and MODULE.bazel files.
func (r Release) Replacements() map[string]string {
	return map[string]string{
		"%RULES_DOCKER_URL%":          r.URL,
		"%RULES_DOCKER_SHA256%":       r.SHA256,
		"%RULES_DOCKER_INTEGRITY%":    r.Integrity,
		"%RULES_DOCKER_STRIP_PREFIX%": r.StripPrefix,
		"%RULES_DOCKER_VERSION%":      r.Version,
	}
}

// Copy copies the workspace at src to dst, without Go files at its top (the tests),
// and replaces each key of replacements by its value in WORKSPACE, MODULE.bazel and BUILD files.
func Copy(dst, src string, replacements map[string]string) error {
	var pairs []string
	for old, text := range replacements {
		pairs = append(pairs, old, text)
	}
	replacer := strings.NewReplacer(pairs...)
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		case filepath.Dir(rel) == "." && strings.HasSuffix(rel, ".go"):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: %w", path, errNotRegular)
		}
		return copyFile(to, path, replacer)
	})
}

var errNotRegular = errors.New("not a regular file; remove what a build has left in the workspace")

func copyFile(to, from string, replacer *strings.Replacer) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	switch filepath.Base(from) {
	case "WORKSPACE", "MODULE.bazel", "BUILD.bazel":
		data = []byte(replacer.Replace(string(data)))
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
