package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// maxControlFile bounds, in bytes, what is read into memory of a package's control
// and md5sums files; the largest in Debian have a few MiB.
const maxControlFile = 16 << 20

// packageName is more lenient than Debian policy, section 5.6.7, and no more than
// a safe file name.
var packageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]*$`)

// Deb is a Debian binary package (deb(5)).
type Deb struct {
	Package string // value of the control file's field of that name
	Control ControlFile
	MD5Sums *ControlFile // nil for a package without
	Data    *Tar

	file *os.File
}

// ControlFile is a file of a package's control archive.
type ControlFile struct {
	Content []byte
	ModTime time.Time
}

// OpenDeb opens the package at path. tempDir is where compressed parts are spooled.
func OpenDeb(ctx context.Context, path, tempDir string) (*Deb, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening package: %w", err)
	}
	d := &Deb{file: f}
	if err := d.read(ctx, path, tempDir); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close frees what the package occupies.
func (d *Deb) Close() error {
	var err error
	if d.Data != nil {
		err = d.Data.Close()
	}
	return errors.Join(err, d.file.Close())
}

func (d *Deb) read(ctx context.Context, path, tempDir string) error {
	info, err := d.file.Stat()
	if err != nil {
		return fmt.Errorf("opening package: %w", err)
	}
	members, err := readAr(d.file, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	control, data := find(members, "control.tar"), find(members, "data.tar")
	if control == nil || data == nil {
		return fmt.Errorf("%s: not a Debian package: it lacks a control.tar or a data.tar", path)
	}
	if err := d.readControl(ctx, path+": "+control.name, control.content, tempDir); err != nil {
		return err
	}
	d.Data, err = newTar(ctx, path+": "+data.name, data.content, tempDir)
	return err
}

// find returns the first member of a name, whatever the extension for its compression.
func find(members []arMember, name string) *arMember {
	for i, m := range members {
		if m.name == name || strings.HasPrefix(m.name, name+".") {
			return &members[i]
		}
	}
	return nil
}

func (d *Deb) readControl(ctx context.Context, name string, content *io.SectionReader, tempDir string) error {
	t, err := newTar(ctx, name, content, tempDir)
	if err != nil {
		return err
	}
	defer t.Close()
	err = t.Walk(ctx, func(m Member, r io.Reader) error {
		if m.Header.Typeflag != tar.TypeReg || (m.Name != "control" && m.Name != "md5sums") {
			return nil
		}
		if m.Header.Size > maxControlFile {
			return fmt.Errorf("%s: %s has %d bytes, more than the %d that are sensible", name, m.Name, m.Header.Size, maxControlFile)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		file := ControlFile{Content: data, ModTime: m.Header.ModTime}
		if m.Name == "control" {
			d.Control = file
		} else {
			d.MD5Sums = &file
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.Package = field(d.Control.Content, "Package")
	if !packageName.MatchString(d.Package) {
		return fmt.Errorf("%s: the control file has no usable Package field (%q)", name, d.Package)
	}
	return nil
}

// field returns the value of a one-line field of a control file, whose names are
// case-insensitive (Debian policy, section 5.1).
func field(control []byte, name string) string {
	for line := range bytes.Lines(control) {
		key, value, ok := strings.Cut(string(line), ":")
		if ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
