// Package proxy stands between a client and a registry and counts: requests, bytes
// of their bodies, requests under way at a time. It can hold every request for a
// while, as a distant registry would, and break one upload.
package proxy

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options say how a proxy behaves.
type Options struct {
	Delay time.Duration // that every request is held for
	// CutAt breaks the connection once, when that many bytes of uploads have come in;
	// 0 never.
	CutAt int64
}

// Counts is what went through a proxy.
type Counts struct {
	Requests int     // all of them
	Uploads  int     // requests that brought bytes of blobs
	Bytes    int64   // of request bodies, as far as they came in
	InFlight int     // the most requests that were under way at a time
	Log      []Entry // in order of the answers
}

// Entry is a request and its answer.
type Entry struct {
	Began, Took time.Duration // since the last Reset; between the header's coming and the answer's leaving
	Method, URI string
	Status      int   // 0 if the connection was cut
	Bytes       int64 // of its body that came
}

func (e Entry) String() string {
	return fmt.Sprintf("%.3f s +%.3f s: %s %s %d, %d bytes", e.Began.Seconds(), e.Took.Seconds(), e.Method, e.URI, e.Status, e.Bytes)
}

// Proxy is a running proxy.
type Proxy struct {
	opts     Options
	listener net.Listener
	server   *http.Server
	onward   *httputil.ReverseProxy

	mu      sync.Mutex
	counts  Counts
	epoch   time.Time
	current int
	blobs   int64
	cut     bool
}

var errCut = errors.New("the connection was cut, as ordered")

// Start starts a proxy on a free port of 127.0.0.2 for the registry at addr, which
// speaks plain HTTP.
func Start(addr string, opts Options) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0)
	p := &Proxy{opts: opts, listener: listener, epoch: time.Now()}
	p.onward = &httputil.ReverseProxy{
		// The registry shall name the proxy in what it answers, so Host stays.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: addr})
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			MaxIdleConnsPerHost:   256,
			ExpectContinueTimeout: time.Second, // the registry says whether it wants a body
			DisableCompression:    true,
			WriteBufferSize:       256 << 10,
		},
		BufferPool:   &buffers{},
		ErrorLog:     quiet,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	go p.server.Serve(listener) //nolint:errcheck // it ends by Close, and says just that
	return p, nil
}

// Addr returns HOST:PORT.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends the proxy.
func (p *Proxy) Close() error { return p.server.Close() }

// Counts returns what went through since the beginning or the last Reset.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	counts.Log = append([]Entry(nil), p.counts.Log...)
	return counts
}

// Reset forgets what went through.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts, p.epoch = Counts{InFlight: p.current}, time.Now()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := &countedBody{ReadCloser: r.Body, proxy: p, blob: isUpload(r)}
	if r.ContentLength != 0 {
		// On a copy: net/http's server would wait for a body that is not sent, because of
		// Expect: 100-continue, if it did not know its own reader again.
		r = r.WithContext(r.Context())
		r.Body = body
	}
	seen := &statusWriter{ResponseWriter: w}
	p.begin()
	defer p.end(time.Now(), r, body, seen)
	if p.opts.Delay > 0 {
		time.Sleep(p.opts.Delay)
	}
	p.onward.ServeHTTP(seen, r)
}

func isUpload(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/uploads/") }

func (p *Proxy) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Requests++
	p.current++
	p.counts.InFlight = max(p.counts.InFlight, p.current)
}

// end runs before the last of a small answer has left, so that a client that is
// quick with its next request is not taken for one that makes two at a time.
func (p *Proxy) end(began time.Time, r *http.Request, body *countedBody, seen *statusWriter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current--
	if body.blob && body.came > 0 {
		p.counts.Uploads++
	}
	p.counts.Log = append(p.counts.Log, Entry{
		Began: began.Sub(p.epoch), Took: time.Since(began),
		Method: r.Method, URI: r.URL.RequestURI(), Status: seen.status, Bytes: body.came,
	})
}

// add counts n bytes of a body, and reports whether the connection breaks now.
func (p *Proxy) add(n int, blob bool) (cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Bytes += int64(n)
	if !blob || p.opts.CutAt == 0 || p.cut {
		return false
	}
	p.blobs += int64(n)
	p.cut = p.blobs >= p.opts.CutAt
	return p.cut
}

type countedBody struct {
	io.ReadCloser
	proxy *Proxy
	blob  bool
	came  int64
}

func (b *countedBody) Read(buf []byte) (int, error) {
	n, err := b.ReadCloser.Read(buf)
	b.came += int64(n)
	if b.proxy.add(n, b.blob) {
		return n, errCut
	}
	return n, err
}
