package pull

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagedir"
)

// lockPoll is how often a lock that somebody else has is tried.
const lockPoll = 100 * time.Millisecond

// Cache is a directory of blobs that outlives a pull and may be shared by many at a
// time: a file is only ever put there whole, by a rename, and what is read from it
// is verified. Its files have the names that go-containerregistry's cache gives
// them, so that one left by rules_docker goes on serving.
type Cache struct {
	Dir string
	// Warn is told what kept a blob from being cached. It must not be nil.
	Warn func(line string)
	// Shared says that the cache only passes on what other directories hold: it takes no
	// room, as its files are hard links, and Prune removes those that nothing else has.
	Shared bool
}

func (c *Cache) path(digest v1.Hash) string {
	if runtime.GOOS == "windows" { // where a file name has no colon
		return filepath.Join(c.Dir, digest.Algorithm+"-"+digest.Hex)
	}
	return filepath.Join(c.Dir, digest.String())
}

// Lock keeps other pulls from getting a blob at the same time. Blobs share a bounded
// number of locks, so at worst two wait for each other that need not. Where files
// cannot be locked (some network file systems) nothing is, and a blob may be
// downloaded twice. The caller calls unlock.
func (c *Cache) Lock(ctx context.Context, digest v1.Hash) (unlock func(), err error) {
	locks := filepath.Join(c.Dir, ".locks")
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return func() {}, nil
	}
	lock := flock.New(filepath.Join(locks, digest.Hex[:2]))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return func() {}, ctx.Err()
	}
	return func() { _ = lock.Close() }, nil
}

// Get puts a blob at path, if the cache has it. One that is damaged is removed from
// the cache.
func (c *Cache) Get(d v1.Descriptor, path string) bool {
	cached := c.path(d.Digest)
	info, err := os.Stat(cached)
	if err != nil {
		return false
	}
	if info.Size() == d.Size {
		// What was linked or copied is what has to be right.
		err := imagedir.Link(cached, path)
		if err == nil {
			var got string
			if got, err = sum(path); err == nil && got == d.Digest.Hex {
				return true
			}
		}
		_ = os.Remove(path)
		if err != nil {
			return false
		}
	}
	_ = os.Remove(cached)
	return false
}

// Put adds the verified blob at path. A cache that cannot be written is no reason to
// fail.
func (c *Cache) Put(d v1.Descriptor, path string) {
	temp := filepath.Join(c.Dir, "."+d.Digest.Hex+"-"+rand.Text())
	link := imagedir.Link
	if c.Shared {
		link = os.Link
	}
	err := link(path, temp)
	if err == nil {
		err = os.Rename(temp, c.path(d.Digest))
	}
	// To rename a link over another of the same file does nothing (POSIX rename).
	_ = os.Remove(temp)
	if err != nil && !c.Shared {
		c.Warn(fmt.Sprintf("WARNING: a blob cannot be put into the cache: %v", err))
	}
}

// Prune removes from a shared cache what no other directory has any more. On a system
// that does not tell, everything stays.
func (c *Cache) Prune() {
	if !c.Shared {
		return
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && links(info) == 1 {
			_ = os.Remove(filepath.Join(c.Dir, e.Name()))
		}
	}
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// OpenCache makes sure that the directory of a cache is there.
func OpenCache(dir string, warn func(line string)) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the cache (DOCKER_REPO_CACHE, -cache): %w", err)
	}
	return &Cache{Dir: dir, Warn: warn}, nil
}
