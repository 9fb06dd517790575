package pull

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func blobFile(t *testing.T, data string) (v1.Descriptor, string) {
	t.Helper()
	digest, size, err := v1.SHA256(bytes.NewReader([]byte(data)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return v1.Descriptor{Digest: digest, Size: size}, path
}

func testCache(t *testing.T) *Cache {
	t.Helper()
	c, err := OpenCache(filepath.Join(t.TempDir(), "a", "cache"), func(line string) { t.Error(line) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCache(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, path string)
		found  bool
	}{
		{"as it was", func(*testing.T, string) {}, true},
		{"other bytes", func(t *testing.T, path string) { overwrite(t, path, "content?") }, false},
		{"shorter", func(t *testing.T, path string) { overwrite(t, path, "con") }, false},
		{"gone", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := testCache(t)
			d, path := blobFile(t, "content!")
			cache.Put(d, path)
			cache.Put(d, path) // what is there already does no harm
			c.damage(t, cache.path(d.Digest))
			to := filepath.Join(t.TempDir(), "out")
			if got := cache.Get(d, to); got != c.found {
				t.Fatalf("found: %v, want %v", got, c.found)
			}
			data, err := os.ReadFile(to)
			if c.found && string(data) != "content!" || !c.found && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("got %q, %v", data, err)
			}
			if _, err := os.Stat(cache.path(d.Digest)); (err == nil) != c.found {
				t.Errorf("what is damaged stays in the cache: %v", err)
			}
			entries, err := filepath.Glob(filepath.Join(cache.Dir, ".*-*"))
			if err != nil || len(entries) > 0 {
				t.Errorf("temporary files are left: %q, %v", entries, err)
			}
		})
	}
}

// overwrite replaces a file, which may be a link to another.
func overwrite(t *testing.T, path, data string) {
	t.Helper()
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(data), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	said := 0
	cache := &Cache{Dir: filepath.Join(t.TempDir(), "none"), Warn: func(string) { said++ }}
	d, path := blobFile(t, "content")
	cache.Put(d, path)
	if said != 1 || cache.Get(d, path+"x") {
		t.Errorf("%d warnings", said)
	}
	file := filepath.Join(t.TempDir(), "file")
	overwriteNew(t, file)
	if _, err := OpenCache(filepath.Join(file, "cache"), nil); err == nil {
		t.Error("a cache below a file")
	}
}

func overwriteNew(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCacheLock(t *testing.T) {
	cache := testCache(t)
	d, _ := blobFile(t, "content")
	unlock, err := cache.Lock(context.Background(), d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := cache.Lock(ctx, d.Digest); !errors.Is(err, context.Canceled) {
		t.Errorf("a lock that somebody has is given away: %v", err)
	}
	unlock()
	again, err := cache.Lock(context.Background(), d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// A shared cache holds what other directories hold, and nothing else.
func TestSharedCache(t *testing.T) {
	cache := testCache(t)
	cache.Shared = true
	kept, path := blobFile(t, "kept")
	cache.Put(kept, path)
	gone, other := blobFile(t, "gone")
	cache.Put(gone, other)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	cache.Put(gone, other) // there is nothing to put, and nobody to tell
	if unlock, err := cache.Lock(t.Context(), kept.Digest); err != nil {
		t.Fatal(err)
	} else {
		defer unlock()
	}
	cache.Prune()
	if !cache.Get(kept, filepath.Join(t.TempDir(), "again")) {
		t.Error("what is still there cannot be had")
	}
	if cache.Get(gone, filepath.Join(t.TempDir(), "again")) {
		t.Error("what is gone can be had")
	}
	own := testCache(t)
	d, path := blobFile(t, "alone")
	own.Put(d, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	own.Prune()
	if !own.Get(d, filepath.Join(t.TempDir(), "again")) {
		t.Error("a cache that is not shared lost what it alone has")
	}
}
