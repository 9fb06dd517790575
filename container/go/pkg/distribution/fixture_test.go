package distribution

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

// Sizes of blobs on the ways that Ensure has for them, in bytes.
const (
	small = 10_000    // at most tiny
	usual = 200_000   // more than tiny, less than heavy
	big   = 2_000_000 // more than heavy, at most modest
)

const (
	repo  = "some/where"
	other = "else/where"
)

// sleeper is a clock that only takes notes.
type sleeper struct {
	mu    sync.Mutex
	slept []time.Duration
}

func (s *sleeper) sleep(ctx context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slept = append(s.slept, d)
	return ctx.Err()
}

// pauses are what a client slept that failed n times in a row, at Jitter 0.
func pauses(n int) []time.Duration {
	var all []time.Duration
	for d := 250 * time.Millisecond; len(all) < n; d *= 2 {
		all = append(all, d)
	}
	return all
}

// world is a client and what it speaks with.
type world struct {
	t        *testing.T
	registry *scripted.Registry
	client   *Client
	stats    *Stats
	clock    *sleeper
}

func newWorld(t *testing.T, traits scripted.Traits) *world {
	t.Helper()
	return worldOf(t, scripted.New(t, traits), connect(t, (&net.Dialer{}).DialContext))
}

func worldOf(t *testing.T, registry *scripted.Registry, rt http.RoundTripper) *world {
	t.Helper()
	w := &world{t: t, registry: registry, stats: &Stats{}, clock: &sleeper{}}
	transports := func(context.Context, string) (http.RoundTripper, error) { return opening{rt}, nil }
	w.client = New(registry.URL(), transports, Retry{
		Sleep:  w.clock.sleep,
		Jitter: func() float64 { return 0 },
	}, w.stats)
	return w
}

// opening opens the body of a request when its turn has come, as the registry package
// does.
type opening struct{ http.RoundTripper }

func (o opening) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.GetBody != nil && req.Body != http.NoBody {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		req = req.Clone(req.Context())
		req.Body = body
	}
	return o.RoundTripper.RoundTrip(req)
}

// connect is a transport as the registry package has it, but that waits for an
// answer to Expect: 100-continue as long as it takes.
func connect(t *testing.T, dial Dial) *http.Transport {
	t.Helper()
	rt := &http.Transport{
		DialContext:           dial,
		ExpectContinueTimeout: time.Hour,
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true},
	}
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

// random is content that is another for each size. It repeats itself, for the sake of
// speed, but not at any offset that a mistake could lead to.
func random(size int) []byte {
	block := make([]byte, min(size, 65521))
	_, _ = rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)}).Read(block)
	return bytes.Repeat(block, size/max(1, len(block))+1)[:size]
}

func sumOf(t testing.TB, data []byte) v1.Hash {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func blobOf(t testing.TB, data []byte) Blob {
	t.Helper()
	return Blob{Digest: sumOf(t, data), Content: memory(data)}
}

func manifestOf(t testing.TB) Manifest {
	t.Helper()
	data := []byte(`{"schemaVersion":2}`)
	return Manifest{Digest: sumOf(t, data), MediaType: types.OCIManifestSchema1, Data: data}
}

// file is content on disk.
type file struct {
	path string
	size int64
}

func fileOf(t *testing.T, data []byte) Blob {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Blob{Digest: sumOf(t, data), Content: file{path, int64(len(data))}}
}

func (f file) Size() int64 { return f.size }

func (f file) Open(offset int64) (io.ReadCloser, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	if _, err := opened.Seek(offset, io.SeekStart); err != nil {
		_ = opened.Close()
		return nil, err
	}
	return opened, nil
}

// has checks that the registry has a blob, whole.
func (w *world) has(repository string, b Blob) {
	w.t.Helper()
	got := w.registry.Blob(repository, b.Digest.String())
	if got == nil {
		w.t.Errorf("%s has no blob %s", repository, b.Digest)
	} else if h := sumOf(w.t, got); h != b.Digest {
		w.t.Errorf("%s has %s under %s", repository, h, b.Digest)
	}
}

// hasNot checks that the registry has nothing of a blob that a client could see.
func (w *world) hasNot(repository string, b Blob) {
	w.t.Helper()
	if w.registry.Blob(repository, b.Digest.String()) != nil {
		w.t.Errorf("%s has the blob", repository)
	}
}

// did checks the requests since the first skip ones, e.g. "POST upload".
func (w *world) did(skip int, want ...string) {
	w.t.Helper()
	if got := w.registry.Sequence()[skip:]; !slices.Equal(got, want) {
		w.t.Errorf("requests:\n  got  %s\n  want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func (w *world) slept(want []time.Duration) {
	w.t.Helper()
	if !slices.Equal(w.clock.slept, want) {
		w.t.Errorf("slept %v, want %v", w.clock.slept, want)
	}
	if got := w.stats.Retries.Load(); got != int64(len(want)) {
		w.t.Errorf("Retries = %d, want %d", got, len(want))
	}
}

// received checks how many bytes of blobs the registry got.
func (w *world) received(want int64) {
	w.t.Helper()
	if got := w.registry.BlobBytes(); got != want {
		w.t.Errorf("the registry received %d bytes of blobs, want %d", got, want)
	}
}

// counted checks that Stats counted what the registry saw.
func (w *world) counted() {
	w.t.Helper()
	if got, want := w.stats.Requests.Load(), int64(len(w.registry.Log())); got != want {
		w.t.Errorf("Stats counted %d requests of %d", got, want)
	}
}

func (w *world) ensure(b Blob, from Origin, fresh bool) (present bool) {
	w.t.Helper()
	outcome, err := w.client.Ensure(w.t.Context(), repo, b, from, fresh)
	if err != nil {
		w.t.Fatalf("Ensure: %v", err)
	}
	return outcome == Present
}

func elsewhere(u url.URL, format string) string { return strings.ReplaceAll(format, "HOST", u.Host) }
