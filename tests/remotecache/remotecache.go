// Package remotecache is a remote cache for Bazel that keeps everything in memory and
// remembers who asked for what: the cache half of the Remote Execution API
// (build.bazel.remote.execution.v2) and the byte streams (google.bytestream) that it
// needs, as gRPC over HTTP/2 without TLS. It implements what Bazel 4 to 7 ask of a
// cache, and trusts its clients.
package remotecache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// address is loopback, but nothing that clients take for local by its name.
const address = "127.0.0.2:0"

// Cache is a running cache.
type Cache struct {
	listener net.Listener
	server   *http.Server
	stopped  chan error

	mu      sync.Mutex
	results map[string][]byte // action results by the digest of the action
	blobs   map[string][]byte // by sha256, hex
	traffic Traffic
}

// Traffic is what clients have asked for.
type Traffic struct {
	Hits, Misses int            // action results that were there, or not
	Stored       int            // action results that were sent
	Uploaded     int64          // bytes of blobs
	Downloaded   int64          // bytes of blobs
	Blobs        map[string]int // how often a blob was downloaded, by sha256, hex
}

// Start returns an empty cache that is running.
func Start() (*Cache, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("starting a remote cache: %w", err)
	}
	c := &Cache{
		listener: listener,
		stopped:  make(chan error, 1),
		results:  map[string][]byte{},
		blobs:    map[string][]byte{},
		traffic:  Traffic{Blobs: map[string]int{}},
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	c.server = &http.Server{Handler: c.routes(), Protocols: &protocols}
	go func() { c.stopped <- c.server.Serve(listener) }()
	return c, nil
}

// URL is the value for Bazel's --remote_cache.
func (c *Cache) URL() string { return "grpc://" + c.listener.Addr().String() }

// Close ends the cache and forgets what it holds.
func (c *Cache) Close() error {
	err := c.server.Close()
	if stopped := <-c.stopped; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}

// Take returns the traffic since it was last called.
func (c *Cache) Take() Traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.traffic
	c.traffic = Traffic{Blobs: map[string]int{}}
	return taken
}

// Blobs returns the sizes in bytes of what the cache holds, by sha256, hex.
func (c *Cache) Blobs() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	sizes := make(map[string]int64, len(c.blobs))
	for digest, blob := range c.blobs {
		sizes[digest] = int64(len(blob))
	}
	return sizes
}

// ResultBytes returns the size of all action results together.
func (c *Cache) ResultBytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for _, result := range c.results {
		sum += int64(len(result))
	}
	return sum
}

func (c *Cache) result(action string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	result, ok := c.results[action]
	if ok {
		c.traffic.Hits++
	} else {
		c.traffic.Misses++
	}
	return result, ok
}

func (c *Cache) storeResult(action string, result []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.traffic.Stored++
	c.results[action] = result
}

func (c *Cache) has(digest string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.blobs[digest]
	return ok || digest == emptyDigest
}

func (c *Cache) blob(digest string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	blob, ok := c.blobs[digest]
	if ok {
		c.traffic.Blobs[digest]++
		c.traffic.Downloaded += int64(len(blob))
	}
	return blob, ok || digest == emptyDigest
}

func (c *Cache) storeBlob(digest string, blob []byte) error {
	if sum := Digest(blob); sum != digest {
		return fmt.Errorf("%w: %d bytes sent as %s have sha256 %s", errInvalid, len(blob), digest, sum)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.traffic.Uploaded += int64(len(blob))
	c.blobs[digest] = blob
	return nil
}

// Digest is the sha256 of a blob, hex.
func Digest(blob []byte) string {
	sum := sha256.Sum256(blob)
	return hex.EncodeToString(sum[:])
}

// emptyDigest is the sha256 of nothing, which every cache has.
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// routes maps the methods of the services to their implementation.
func (c *Cache) routes() http.Handler {
	const api = "/build.bazel.remote.execution.v2."
	mux := http.NewServeMux()
	for path, call := range map[string]method{
		api + "Capabilities/GetCapabilities":               c.getCapabilities,
		api + "ActionCache/GetActionResult":                c.getActionResult,
		api + "ActionCache/UpdateActionResult":             c.updateActionResult,
		api + "ContentAddressableStorage/FindMissingBlobs": c.findMissingBlobs,
		"/google.bytestream.ByteStream/Read":               c.read,
		"/google.bytestream.ByteStream/Write":              c.write,
	} {
		mux.Handle(path, call)
	}
	mux.Handle("/", method(func(context.Context, *stream) error { return errUnimplemented }))
	return mux
}
