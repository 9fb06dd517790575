package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// statusDir is where scanners look for the packages of images without dpkg.
const statusDir = "var/lib/dpkg/status.d"

// inputs are the archives of a layer, opened and indexed.
type inputs struct {
	root, prefix string // of absolute members, of all others
	mtime        *time.Time
	sources      []source
	// declared are the directories that archives describe, by their path in the layer.
	declared map[string]tar.Header
}

// source is a tar, or what a Debian package has.
type source struct {
	name string
	tar  *archive.Tar
	deb  *archive.Deb // nil for a tar
}

func (s source) close() error {
	if s.deb != nil {
		return s.deb.Close()
	}
	return s.tar.Close()
}

// open opens the archives of l and reads all their headers, so that damage shows
// before anything is written.
func (b Builder) open(ctx context.Context, l spec.Layer, tempDir string) (*inputs, error) {
	root, err := cleanPath("root", l.Root)
	if err != nil {
		return nil, err
	}
	prefix, err := cleanPath("directory", l.Directory)
	if err != nil {
		return nil, err
	}
	in := &inputs{root: root, prefix: path.Join(root, prefix), declared: make(map[string]tar.Header)}
	if !l.PreserveMTime {
		t := time.Unix(l.MTime, 0)
		in.mtime = &t
	}
	if err := in.openAll(ctx, l, tempDir); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *inputs) openAll(ctx context.Context, l spec.Layer, tempDir string) error {
	for _, name := range l.Tars {
		t, err := archive.OpenTar(ctx, name, tempDir)
		if err != nil {
			return err
		}
		in.sources = append(in.sources, source{name: name, tar: t})
	}
	for _, name := range l.Debs {
		d, err := archive.OpenDeb(ctx, name, tempDir)
		if err != nil {
			return err
		}
		in.sources = append(in.sources, source{name: name, tar: d.Data, deb: d})
	}
	for _, s := range in.sources {
		err := s.tar.Walk(ctx, func(m archive.Member, _ io.Reader) error {
			if m.Header.Typeflag != tar.TypeDir || m.Name == "" {
				// The mode of an archive's root is that of the directory it was packed in.
				return nil
			}
			name := in.place(m.Name, m.Absolute)
			if _, ok := in.declared[name]; !ok {
				in.declared[name] = in.header(m)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *inputs) close() error {
	var errs []error
	for _, s := range in.sources {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// place is where a member, or what a hard link leads to, lies in the layer.
func (in *inputs) place(name string, absolute bool) string {
	if absolute {
		return path.Join(in.root, name)
	}
	return path.Join(in.prefix, name)
}

// header is what is written for a member, but for its name.
func (in *inputs) header(m archive.Member) tar.Header {
	h := m.Header
	if m.Link != "" {
		h.Linkname = memberName(in.place(m.Link, m.LinkAbsolute), tar.TypeLink)
	}
	in.stamp(&h)
	return h
}

// stamp sets the configured time, or sees to it that a preserved one stays exact.
func (in *inputs) stamp(h *tar.Header) {
	if in.mtime != nil {
		h.ModTime = *in.mtime
	} else if h.ModTime.Nanosecond() != 0 {
		h.Format = tar.FormatPAX // the only one with fractions of a second
	}
}

// emit adds all members of all archives.
func (in *inputs) emit(ctx context.Context, t *tree) error {
	for _, s := range in.sources {
		if s.deb != nil {
			if err := in.emitStatus(ctx, t, s); err != nil {
				return err
			}
		}
		first := true
		err := s.tar.Walk(ctx, func(m archive.Member, content io.Reader) error {
			if first {
				first = false
				if err := t.directory(in.prefix, m.Header.Uid, m.Header.Gid, s.name); err != nil {
					return err
				}
			}
			if m.Name == "" {
				return nil
			}
			ok, err := t.member(in.place(m.Name, m.Absolute), in.header(m), s.name)
			return fill(ctx, t, ok, err, m.Header.Size, content)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fill writes the content of an entry that was just added, if it was.
func fill(ctx context.Context, t *tree, added bool, err error, size int64, content io.Reader) error {
	if err != nil || !added || size == 0 {
		return err
	}
	_, err = archive.Copy(ctx, t.tw, content)
	return err
}

// emitStatus adds what tells which package a Debian package was.
func (in *inputs) emitStatus(ctx context.Context, t *tree, s source) error {
	name := path.Join(in.prefix, statusDir, s.deb.Package)
	add := func(name string, f archive.ControlFile) error {
		h := tar.Header{Typeflag: tar.TypeReg, Size: int64(len(f.Content)), Mode: plainMode, ModTime: f.ModTime}
		in.stamp(&h)
		ok, err := t.add(name, h, s.name)
		return fill(ctx, t, ok, err, h.Size, bytes.NewReader(f.Content))
	}
	if err := add(name, s.deb.Control); err != nil {
		return fmt.Errorf("package %s: %w", s.deb.Package, err)
	}
	if s.deb.MD5Sums == nil {
		return nil
	}
	return add(name+".md5sums", *s.deb.MD5Sums)
}
