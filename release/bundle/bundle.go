// Package bundle makes the release archive: the rules in Starlark, the Go sources and one static program per platform.
//
// The same tree and the same Go version give the same bytes, whatever the folder, user, umask, environment or time.
package bundle

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Name is the project's name: the archive's, its folder's and the Bazel module's.
const Name = "rules_docker_for_insecure_registries"

// MaxSize is the most bytes a release archive may have (30 MB).
const MaxSize = 30_000_000

// Options says what to release.
type Options struct {
	Root      string     // the checkout
	Out       string     // folder for the results; made when absent
	Version   string     // as ReadVersion returns it
	Platforms []Platform // programs to include
	Dev       bool       // marks the files' names so that they cannot be taken for a release
	Limit     int64      // most bytes the archive may have
}

// Result describes an archive that was made.
type Result struct {
	Path      string // the archive
	Folder    string // the one folder inside it
	Version   string
	GoVersion string // as in go1.26.0
	Size      int64  // bytes
	Sum       []byte // SHA-256 of the archive
}

// SHA256 returns the archive's digest in hexadecimal, as http_archive and sha256sum write it.
func (r Result) SHA256() string { return hex.EncodeToString(r.Sum) }

// Integrity returns the archive's digest as archive_override writes it (W3C Subresource Integrity).
func (r Result) Integrity() string { return "sha256-" + base64.StdEncoding.EncodeToString(r.Sum) }

var versionForm = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$`)

// ReadVersion reads the file VERSION in root, such as 1.2.3 or 1.2.3-rc1.
func ReadVersion(root string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return "", fmt.Errorf("reading the version (is this the root of the checkout?): %w", err)
	}
	version := strings.TrimSpace(string(data))
	if !versionForm.MatchString(version) {
		return "", fmt.Errorf("VERSION holds %q: write MAJOR.MINOR.PATCH", version)
	}
	return version, nil
}

// Make builds the programs and writes the archive, its checksum (sha256sum's format) and the release notes to o.Out.
// It fails, writing nothing, when the archive would be larger than o.Limit.
func Make(ctx context.Context, o Options) (Result, error) {
	files, err := contents(ctx, o.Root)
	if err != nil {
		return Result{}, err
	}
	scratch, err := os.MkdirTemp("", "release-")
	if err != nil {
		return Result{}, fmt.Errorf("making a scratch folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	builder, err := newBuilder(ctx, o.Root, markedVersion(o.Version, o.Dev))
	if err != nil {
		return Result{}, err
	}
	programs, err := builder.buildAll(ctx, scratch, o.Platforms)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return Result{}, fmt.Errorf("making the folder for the archive: %w", err)
	}
	result := Result{
		Path:      filepath.Join(o.Out, Name+"-v"+markedVersion(o.Version, o.Dev)+".tar.gz"),
		Folder:    Name + "-" + o.Version,
		Version:   o.Version,
		GoVersion: builder.goVersion,
	}
	if err := result.write(append(files, programs...), o.Limit); err != nil {
		return Result{}, err
	}
	return result, result.describe(o.Dev)
}

func markedVersion(version string, dev bool) string {
	if dev {
		return version + "-dev"
	}
	return version
}

// write makes the archive beside its final name and renames it there once it is whole and small enough.
func (r *Result) write(entries []entry, limit int64) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(r.Path), ".archive-")
	if err != nil {
		return fmt.Errorf("creating the archive: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temporary.Name()))
		}
	}()
	r.Size, r.Sum, err = writeArchive(temporary, r.Folder, entries)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return fmt.Errorf("writing the archive: %w", err)
	}
	if r.Size > limit {
		return fmt.Errorf("%s would have %d bytes, %d more than the %d allowed: make the programs smaller or trim the allow-list",
			filepath.Base(r.Path), r.Size, r.Size-limit, limit)
	}
	if err := os.Rename(temporary.Name(), r.Path); err != nil {
		return fmt.Errorf("putting the archive in place: %w", err)
	}
	return nil
}

// describe writes the checksum and the release notes.
func (r Result) describe(dev bool) error {
	notes := "release_notes.md"
	if dev {
		notes = "release_notes-dev.md"
	}
	for path, text := range map[string]string{
		r.Path + ".sha256":                         r.SHA256() + "  " + filepath.Base(r.Path) + "\n",
		filepath.Join(filepath.Dir(r.Path), notes): r.Notes(),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("describing the archive: %w", err)
		}
	}
	return nil
}
