package savedimage

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
)

// maxLinks bounds how many links within an archive are followed.
const maxLinks = 40

// members are the names in an archive. Where a name occurs again, the last counts, as
// when a tar is unpacked.
type members struct {
	manifest []byte // manifest.json, nil if there is none
	types    map[string]byte
	links    map[string]string // names of other members, by those of links
	seen     map[string]int    // how often a name occurs
	passed   map[string]int    // how often last was asked for it
}

func readMembers(ctx context.Context, source *archive.Tar) (*members, error) {
	names := &members{types: map[string]byte{}, links: map[string]string{}, seen: map[string]int{}, passed: map[string]int{}}
	err := source.Walk(ctx, func(m archive.Member, content io.Reader) error {
		names.types[m.Name] = m.Header.Typeflag
		names.seen[m.Name]++
		switch m.Header.Typeflag {
		case tar.TypeLink:
			names.links[m.Name] = m.Link
		case tar.TypeSymlink:
			names.links[m.Name] = path.Join(path.Dir(m.Name), m.Header.Linkname)
		}
		if m.Name != "manifest.json" {
			return nil
		}
		var err error
		names.manifest, err = readDocument(m.Name, content)
		return err
	})
	return names, err
}

// last tells whether a member, as Walk comes to it, is the one that counts. It is
// asked once for each member.
func (m *members) last(member archive.Member) bool {
	m.passed[member.Name]++
	return m.passed[member.Name] == m.seen[member.Name]
}

// resolve follows links to the name of a regular file.
func (m *members) resolve(name string) (string, error) {
	clean, _, err := archive.Clean(name)
	if err != nil {
		return "", fmt.Errorf("%q: %w", name, err)
	}
	for range maxLinks {
		kind, ok := m.types[clean]
		switch {
		case !ok && clean == name:
			return "", fmt.Errorf("%w: manifest.json names %q, which is not in the archive", ErrDamaged, name)
		case !ok:
			return "", fmt.Errorf("%w: %q is a link to %q, which is not in the archive", ErrDamaged, name, clean)
		case kind == tar.TypeReg:
			return clean, nil
		case kind != tar.TypeSymlink && kind != tar.TypeLink:
			return "", fmt.Errorf("%w: %q is not a file", ErrDamaged, name)
		}
		clean = m.links[clean]
	}
	return "", fmt.Errorf("%w: %q is a link that leads nowhere", ErrDamaged, name)
}

// readDocument reads a small file.
func readDocument(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%w: %s exceeds %d bytes", ErrNotSaved, name, maxDocument)
	}
	return data, nil
}
