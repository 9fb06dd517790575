package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// recordSize is what tars are padded to: 20 blocks, as tar(1) and upstream do.
const recordSize = 10240

var errConflict = errors.New("a path cannot be a file and a directory")

// claim is what a path in the layer was taken by.
type claim struct {
	typeflag byte
	origin   string // file or archive, for messages
	implied  bool   // a directory that must be one, and is not in the layer
}

// tree writes entries as a tar, each path once and the directories above it first. Paths are
// relative to the image's root, without a leading slash; "" is the root.
type tree struct {
	tw       *tar.Writer
	count    *counter
	mtime    time.Time
	claims   map[string]claim
	declared map[string]tar.Header // directories that archives describe
	warnf    func(string, ...any)
}

func newTree(w io.Writer, declared map[string]tar.Header, mtime time.Time, warnf func(string, ...any)) *tree {
	count := &counter{w: w}
	return &tree{
		tw: tar.NewWriter(count), count: count, mtime: mtime,
		claims: make(map[string]claim), declared: declared, warnf: warnf,
	}
}

// add writes the header of an entry unless its path is taken, and tells whether it
// did; the caller then writes the content to t.tw. h.Name is ignored.
func (t *tree) add(name string, h tar.Header, origin string) (bool, error) {
	return t.put(name, h, origin, false)
}

// member is add for a member of an archive. What the archive does not say of the
// directories above it is not made up: where a base has /lib -> usr/lib or a world
// writable /tmp, a directory entry would undo that.
func (t *tree) member(name string, h tar.Header, origin string) (bool, error) {
	return t.put(name, h, origin, true)
}

func (t *tree) put(name string, h tar.Header, origin string, implied bool) (bool, error) {
	if err := t.parents(name, origin, implied); err != nil {
		return false, err
	}
	if name == "" { // parents writes it with the first entry
		return false, t.root(origin)
	}
	if old, taken := t.claims[name]; taken && !(old.implied && h.Typeflag == tar.TypeDir) {
		return false, t.again(name, old, claim{typeflag: h.Typeflag, origin: origin})
	}
	return true, t.emit(name, h, origin)
}

// directory makes sure that there is one, by default owned by uid and gid.
func (t *tree) directory(name string, uid, gid int, origin string) error {
	if err := t.parents(name, origin, false); err != nil {
		return err
	}
	if old, taken := t.claims[name]; taken && !old.implied {
		return nil
	}
	return t.auto(name, uid, gid, origin)
}

// auto writes a directory that something else needs: as an archive describes it,
// whichever comes first, or with the default mode and the given owner.
func (t *tree) auto(name string, uid, gid int, origin string) error {
	h, ok := t.declared[name]
	if !ok {
		h = tar.Header{Typeflag: tar.TypeDir, Mode: dirMode, Uid: uid, Gid: gid, ModTime: t.mtime}
	}
	return t.emit(name, h, origin)
}

// again is for a path that is claimed a second time.
func (t *tree) again(name string, old, later claim) error {
	oldDir, newDir := old.typeflag == tar.TypeDir, later.typeflag == tar.TypeDir
	link := old.typeflag == tar.TypeSymlink || later.typeflag == tar.TypeSymlink
	switch {
	case oldDir && newDir, newDir && link:
		return nil // a directory may be reached by a symbolic link as well
	case oldDir != newDir && !link:
		return fmt.Errorf("%w: ./%s is %s from %s and %s from %s", errConflict,
			name, kind(old.typeflag), old.origin, kind(later.typeflag), later.origin)
	}
	t.warnf("./%s is in the layer twice: it stays as %s has it, not as %s has it", name, old.origin, later.origin)
	return nil
}

// parents writes the directories above name that are not there yet; if implied is
// set, only those that an archive describes. Below a symbolic link it writes none:
// what is there is known to whoever unpacks the layer.
func (t *tree) parents(name, origin string, implied bool) error {
	if err := t.root(origin); err != nil {
		return err
	}
	if slash := strings.LastIndexByte(name, '/'); implied && slash > 0 && t.claims[name[:slash]].typeflag == tar.TypeDir {
		return nil // those above it were seen to by then
	}
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		dir := name[:i]
		old, taken := t.claims[dir]
		_, declared := t.declared[dir]
		switch {
		case implied && !declared && (!taken || old.implied):
			t.claims[dir] = claim{tar.TypeDir, origin, true}
		case !taken || old.implied:
			if err := t.auto(dir, 0, 0, origin); err != nil {
				return err
			}
		case old.typeflag == tar.TypeSymlink:
			return nil
		case old.typeflag != tar.TypeDir:
			return fmt.Errorf("%w: ./%s from %s lies below ./%s, which is %s from %s", errConflict,
				name, origin, dir, kind(old.typeflag), old.origin)
		}
	}
	return nil
}

func (t *tree) root(origin string) error {
	if _, taken := t.claims[""]; taken {
		return nil
	}
	return t.auto("", 0, 0, origin)
}

func (t *tree) emit(name string, h tar.Header, origin string) error {
	t.claims[name] = claim{typeflag: h.Typeflag, origin: origin}
	h.Name = memberName(name, h.Typeflag)
	if err := t.tw.WriteHeader(&h); err != nil {
		return fmt.Errorf("adding ./%s from %s: %w", name, origin, err)
	}
	return nil
}

func memberName(name string, typeflag byte) string {
	name = "./" + name
	if typeflag == tar.TypeDir && !strings.HasSuffix(name, "/") {
		name += "/"
	}
	return name
}

// close ends the tar and pads it.
func (t *tree) close() error {
	if err := t.tw.Close(); err != nil {
		return fmt.Errorf("ending the tar: %w", err)
	}
	if rest := t.count.n % recordSize; rest > 0 {
		if _, err := t.count.Write(make([]byte, recordSize-rest)); err != nil {
			return fmt.Errorf("padding the tar: %w", err)
		}
	}
	return nil
}

func kind(typeflag byte) string {
	switch typeflag {
	case tar.TypeDir:
		return "a directory"
	case tar.TypeReg:
		return "a file"
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeSymlink:
		return "a symbolic link"
	}
	return "a device or fifo"
}

// counter counts the bytes written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
