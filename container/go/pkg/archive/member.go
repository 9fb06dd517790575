package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"strings"
)

// permissions are the bits of a mode that a tar is to hold (POSIX pax, ustar
// interchange format); some archivers add the file's type.
const permissions = 0o7777

// maxName bounds names and what links lead to, in bytes. Linux takes no longer path
// (PATH_MAX), and some of what is done with a name takes time that grows with the
// square of its length.
const maxName = 4096

// maxSparse bounds the size in bytes of a sparse file. Its holes take no room in the
// archive, so nothing else does; other files end where the archive does.
const maxSparse = 1 << 40

// Member is one entry of a tar.
type Member struct {
	Name         string // normalised by Clean; "" is the archive's root
	Absolute     bool   // whether it was written with a leading slash
	Link         string // target of a hard link, normalised by Clean
	LinkAbsolute bool

	// Header has neither Name nor user and group names nor times other than ModTime,
	// and Linkname only for a symbolic link. Extended attributes and other records
	// that the fields do not express are in PAXRecords.
	Header tar.Header
}

var errLong = fmt.Errorf("its name, or what it links to, has more than %d bytes, which no system takes", maxName)

var errSparse = fmt.Errorf("it is sparse and would have more than %d GiB once its holes are filled", maxSparse>>30)

var errType = errors.New("neither file, directory, link, device nor fifo; repack the archive without it")

// newMember checks and normalises a header. ok is false for entries that only
// describe the archive itself.
func newMember(h *tar.Header) (m Member, ok bool, err error) {
	m.Header = tar.Header{
		Typeflag: h.Typeflag, Size: h.Size, Mode: h.Mode & permissions, Uid: h.Uid, Gid: h.Gid,
		ModTime: h.ModTime, PAXRecords: records(h.PAXRecords),
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader, 'V': // V: GNU's volume label
		return m, false, nil
	}
	if len(h.Name) > maxName || len(h.Linkname) > maxName {
		return m, false, fmt.Errorf("member %.50q...: %w", h.Name, errLong)
	}
	switch h.Typeflag {
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		// A sparse file is read with its holes filled.
		if sparse(h) && h.Size > maxSparse {
			return m, false, fmt.Errorf("member %q has %d bytes: %w", h.Name, h.Size, errSparse)
		}
		m.Header.Typeflag = tar.TypeReg
	case tar.TypeSymlink:
		m.Header.Linkname, m.Header.Size = h.Linkname, 0
	case tar.TypeLink:
		m.Header.Size = 0
		if m.Link, m.LinkAbsolute, err = Clean(h.Linkname); err != nil || m.Link == "" {
			return m, false, fmt.Errorf("member %q: hard link to %q: %w", h.Name, h.Linkname, orEscapes(err))
		}
	case tar.TypeChar, tar.TypeBlock:
		m.Header.Devmajor, m.Header.Devminor, m.Header.Size = h.Devmajor, h.Devminor, 0
	case tar.TypeDir, tar.TypeFifo:
		m.Header.Size = 0
	default:
		return m, false, fmt.Errorf("member %q has type %q: %w", h.Name, h.Typeflag, errType)
	}
	if m.Name, m.Absolute, err = Clean(h.Name); err != nil {
		return m, false, fmt.Errorf("member %q: %w", h.Name, err)
	}
	if m.Name == "" && m.Header.Typeflag != tar.TypeDir {
		return m, false, fmt.Errorf("member %q: only a directory can be the root", h.Name)
	}
	return m, true, nil
}

func orEscapes(err error) error {
	if err == nil {
		return ErrEscapes
	}
	return err
}

// sparse tells whether a file may have holes, in any of GNU tar's formats.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, sparsePrefix) {
			return true
		}
	}
	return false
}

// sparsePrefix begins the records that say where the holes of a file are.
const sparsePrefix = "GNU.sparse."

// records keeps the extended header records that mean something in an image.
func records(all map[string]string) map[string]string {
	var kept map[string]string
	for k, v := range all {
		switch k {
		case "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime":
			continue // what the header's own fields express, or must not
		case "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "LIBARCHIVE.creationtime", "comment":
			continue // about the packer's machine
		}
		if strings.HasPrefix(k, sparsePrefix) {
			continue
		}
		if kept == nil {
			kept = make(map[string]string)
		}
		kept[k] = v
	}
	return kept
}
