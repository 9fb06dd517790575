package registries

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// Counter stands in front of a registry and counts what goes in and out.
type Counter struct {
	*Server
	mu       sync.Mutex
	sent     int64
	received map[string]int
}

// CountBytes starts a counter in front of the registry at addr (HOST:PORT, plain HTTP).
// The registry sees the counter's own address in requests, and so names it.
func CountBytes(addr string) (*Counter, error) {
	c := &Counter{received: map[string]int{}}
	to := &url.URL{Scheme: "http", Host: addr}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1,
	}
	var err error
	c.Server, err = serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:") && r.Header.Get("Authorization") != "" {
			c.mu.Lock()
			c.received[r.URL.Path]++
			c.mu.Unlock()
		}
		r.Body = &countedBody{r.Body, c}
		proxy.ServeHTTP(w, r)
	}), nil)
	return c, err
}

// Sent is the number of bytes of request bodies so far.
func (c *Counter) Sent() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// Downloads counts, by path, the requests with credentials for blobs so far.
func (c *Counter) Downloads() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]int{}
	for path, n := range c.received {
		all[path] = n
	}
	return all
}

type countedBody struct {
	io.ReadCloser
	counter *Counter
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.counter.mu.Lock()
	b.counter.sent += int64(n)
	b.counter.mu.Unlock()
	return n, err
}
