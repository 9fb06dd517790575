package distribution

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

// watcher knows how many connections and bodies are open.
type watcher struct {
	Content
	open sync.WaitGroup
}

type watchedCloser struct {
	io.Closer
	once sync.Once
	done func()
}

func (c *watchedCloser) Close() error {
	defer c.once.Do(c.done)
	return c.Closer.Close()
}

func (w *watcher) closer(c io.Closer) *watchedCloser {
	w.open.Add(1)
	return &watchedCloser{Closer: c, done: w.open.Done}
}

func (w *watcher) Open(offset int64) (io.ReadCloser, error) {
	body, err := w.Content.Open(offset)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{body, w.closer(body)}, nil
}

func (w *watcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &watchedConn{conn, w.closer(conn)}, nil
}

type watchedConn struct {
	net.Conn
	closer *watchedCloser
}

func (c *watchedConn) Close() error { return c.closer.Close() }

// Who cancels gets control back at once, and nothing goes on behind his back: the
// connection and the body are closed and no goroutine of the client is left.
func TestCancelInMidUpload(t *testing.T) {
	b := blobOf(t, random(32*big)) // more than sockets buffer
	watch := &watcher{Content: b.Content}
	b.Content = watch
	transport := connect(t, watch.dial)
	w := worldOf(t, scripted.New(t, scripted.Traits{Keeps: true}), transport)
	taken := make(chan struct{})
	w.registry.Script("PUT upload", 1, scripted.Hang(big, taken))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-taken
		cancel()
	}()
	_, err := w.client.Ensure(ctx, repo, b, Origin{}, true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("not context.Canceled: %v", err)
	}
	transport.CloseIdleConnections()
	watch.open.Wait()
	for strings.Contains(stacks(), "net/http.(*persistConn)") {
		runtime.Gosched() // the test's own time limit is the limit
	}
	w.did(0, begun...)
	w.slept(nil)
	w.hasNot(repo, b)
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// Who cancels does not wait for the next attempt.
func TestCancelInPause(t *testing.T) {
	registry := scripted.New(t, scripted.Traits{})
	ctx, cancel := context.WithCancel(t.Context())
	registry.Script("POST upload", scripted.Always, func(r *scripted.Registry, rw http.ResponseWriter, req *http.Request) {
		scripted.Status(503)(r, rw, req)
		cancel()
	})
	rt := connect(t, nil)
	transports := func(context.Context, string) (http.RoundTripper, error) { return rt, nil }
	client := New(registry.URL(), transports, Retry{Base: 1000 * time.Hour, Max: 1000 * time.Hour}, &Stats{})
	_, err := client.Ensure(ctx, repo, fileOf(t, random(big)), Origin{}, true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("not context.Canceled: %v", err)
	}
	if got := len(registry.Log()); got != 1 {
		t.Errorf("%d requests", got)
	}
}

// A transport that cannot be had is an error, and the body that was not sent is not
// opened.
func TestNoTransport(t *testing.T) {
	none := errors.New("no way there")
	registry := scripted.New(t, scripted.Traits{})
	client := New(registry.URL(), func(context.Context, string) (http.RoundTripper, error) { return nil, none }, Retry{}, &Stats{})
	b := Blob{sumOf(t, nil), file{"/nonexistent", small}}
	if _, err := client.Ensure(t.Context(), repo, b, Origin{}, true); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
	w := newWorld(t, scripted.Traits{})
	_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
	failed(t, err, "opening what is to be sent", "/nonexistent")
	w.did(0)
}
