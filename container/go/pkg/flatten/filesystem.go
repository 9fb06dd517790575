package flatten

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
)

// maxLinks bounds how many symbolic links a name is resolved through, as the kernel
// does, and maxParts of how many parts it may consist once it is: each of the links could
// add as many as the longest of names has.
const (
	maxLinks = 40
	maxParts = 4096
)

var (
	errLoop         = errors.New("too many levels of symbolic links")
	errNotDirectory = errors.New("not a directory")
	errNoTarget     = errors.New("hard link to a file that is not there")
)

// source is the member that an inode comes from.
type source struct{ layer, member int }

// inode is a file, folder, link or device, under one or several names.
type inode struct {
	header tar.Header // without a name
	source source
	linked bool // whether a hard link was made to it
}

// node is a name in a folder. A folder that members lie below, and that none
// describes, has no inode.
type node struct {
	inode    *inode
	children map[string]*node // nil unless it is a folder
}

func folder() *node { return &node{children: map[string]*node{}} }

func (n *node) symlink() bool { return n.inode != nil && n.inode.header.Typeflag == tar.TypeSymlink }

// walk calls fn for all that is below a folder and for the folder itself, parents first
// and siblings by name.
func (n *node) walk(name string, fn func(string, *node) error) error {
	if err := fn(name, n); err != nil {
		return err
	}
	names := make([]string, 0, len(n.children))
	for child := range n.children {
		names = append(names, child)
	}
	slices.Sort(names)
	for _, child := range names {
		if err := n.children[child].walk(path.Join(name, child), fn); err != nil {
			return err
		}
	}
	return nil
}

// filesystem is what the layers so far come down to.
type filesystem struct{ root *node }

func newFilesystem() *filesystem { return &filesystem{root: folder()} }

// parent finds the folder that name is in, through symbolic links, and the last part
// of the name. With create, folders that are missing are made up; else it returns nil
// for them.
func (f *filesystem) parent(name string, create bool) (*node, string, error) {
	at, links := []*node{f.root}, 0
	parts := strings.Split(name, "/")
	for steps := 0; len(parts) > 1; steps++ {
		part := parts[0]
		parts = parts[1:]
		if steps+len(parts) > maxParts {
			return nil, "", fmt.Errorf("%s: %w", part, errLoop)
		}
		here := at[len(at)-1]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) > 1 { // the root is its own parent
				at = at[:len(at)-1]
			}
			continue
		}
		next := here.children[part]
		switch {
		case next == nil && !create:
			return nil, "", nil
		case next == nil:
			next = folder()
			here.children[part] = next
		case next.symlink():
			if links++; links > maxLinks {
				return nil, "", fmt.Errorf("%s: %w", part, errLoop)
			}
			to := next.inode.header.Linkname
			if strings.HasPrefix(to, "/") {
				at = at[:1]
			}
			parts = append(strings.Split(to, "/"), parts...)
			continue
		case next.children == nil:
			return nil, "", fmt.Errorf("%s: %w", part, errNotDirectory)
		}
		at = append(at, next)
	}
	return at[len(at)-1], parts[0], nil
}

// put adds a member on top of what is there.
func (f *filesystem) put(m archive.Member, from source) error {
	h := m.Header
	if m.Name == "" {
		f.root.inode = &inode{header: h, source: from}
		return nil
	}
	in, base, err := f.parent(m.Name, true)
	if err != nil {
		return err
	}
	there := in.children[base]
	switch h.Typeflag {
	case tar.TypeLink:
		target, err := f.find(m.Link)
		if err != nil {
			return err
		}
		target.linked = true
		in.children[base] = &node{inode: target}
		return nil
	case tar.TypeDir:
		if there == nil || there.children == nil {
			there = folder()
			in.children[base] = there
		}
		there.inode = &inode{header: h, source: from}
		return nil
	}
	in.children[base] = &node{inode: &inode{header: h, source: from}}
	return nil
}

// find returns what a hard link links to.
func (f *filesystem) find(name string) (*inode, error) {
	in, base, err := f.parent(name, false)
	if err != nil {
		return nil, err
	}
	if in == nil || in.children[base] == nil || in.children[base].children != nil {
		return nil, fmt.Errorf("%w: %q", errNoTarget, name)
	}
	return in.children[base].inode, nil
}

// hide removes what a whiteout hides.
func (f *filesystem) hide(w whiteout) error {
	if w.opaque {
		// The parent of a name below the folder is the folder.
		in, _, err := f.parent(path.Join(w.path, "x"), false)
		if err != nil && !errors.Is(err, errNotDirectory) {
			return err
		}
		if in != nil {
			clear(in.children)
		}
		return nil
	}
	in, base, err := f.parent(w.path, false)
	if err != nil && !errors.Is(err, errNotDirectory) {
		return err
	}
	if in != nil {
		delete(in.children, base)
	}
	return nil
}
