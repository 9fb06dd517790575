// Package distribution speaks the pushing half of the OCI distribution-spec (v1.1)
// with one registry. It decides nothing about what to push: it makes one request
// do as much as the registry allows, repeats what failed in passing, and goes on
// with a broken upload where it broke.
package distribution

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Sizes that no honest answer exceeds, in bytes.
const (
	maxManifest = 4 << 20 // distribution-spec, "Pushing Manifests", asks for no more
	maxError    = 8 << 10
)

// Transports gives the authenticated transport for requests about a repository.
type Transports func(ctx context.Context, repository string) (http.RoundTripper, error)

// Stats counts what was done. Its fields may be read at any time.
type Stats struct {
	Requests atomic.Int64 // tries included, handshakes for tokens not
	Retries  atomic.Int64
	Uploaded atomic.Int64 // blobs sent
	Mounted  atomic.Int64 // blobs taken from another repository
	Present  atomic.Int64 // blobs that were there already
}

// Client speaks with one registry. It is safe for concurrent use.
type Client struct {
	base       url.URL
	transports Transports
	retry      Retry
	stats      *Stats
	reached    atomic.Bool // the registry has answered once
	traits     traits
	witness    witness
}

// New returns a client of the registry at base, e.g. http://127.0.0.2:5000.
func New(base url.URL, transports Transports, retry Retry, stats *Stats) *Client {
	return &Client{base: base, transports: transports, retry: retry.withDefaults(), stats: stats}
}

// request is one request, in a form that can be made again.
type request struct {
	repository string
	method     string
	url        *url.URL
	header     http.Header
	body       Content // nil for none
	offset     int64   // of body, where the request's body begins
	expect     []int   // status codes that are an answer and no failure
	whole      bool    // the answer's body, of at most maxManifest bytes, is part of it
}

// url makes the address of an endpoint of a repository.
func (c *Client) url(repository, endpoint string, query url.Values) *url.URL {
	u := c.base
	u.Path = "/v2/" + repository + "/" + endpoint
	u.RawQuery = query.Encode()
	return &u
}

// do makes a request, and makes it again after failures that may pass. The caller
// closes the answer's body. Nothing that has a body is made again here: whether
// the registry took part of it has to be found out first.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, r)
		if err == nil || r.body != nil && r.body.Size() > 0 || !c.retry.again(attempt, err) {
			return resp, err
		}
		if err := c.pause(ctx, attempt, err); err != nil {
			return nil, err
		}
	}
}

// pause waits before the next try after err, which is returned if ctx ends first.
func (c *Client) pause(ctx context.Context, attempt int, err error) error {
	c.stats.Retries.Add(1)
	if slept := c.retry.Sleep(ctx, c.retry.delay(attempt, err)); slept != nil {
		return fmt.Errorf("%w, after: %w", slept, err)
	}
	return nil
}

// once makes a request once. An answer that r does not expect is an error.
func (c *Client) once(ctx context.Context, r request) (*http.Response, error) {
	rt, err := c.transports(ctx, r.repository)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.url.Path, err)
	}
	for key, values := range r.header {
		req.Header[key] = values
	}
	if r.body != nil {
		attach(req, r.body, r.offset)
	}
	c.stats.Requests.Add(1)
	resp, err := (&http.Client{Transport: rt, CheckRedirect: checkRedirect}).Do(req)
	if err != nil {
		return nil, c.unreached(withoutQuery(err))
	}
	c.reached.Store(true)
	if err := check(resp, r.expect); err != nil {
		return nil, err
	}
	if r.whole {
		if err := buffer(resp); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// unreached marks the refusal of a connection by a registry that has answered before:
// it may be starting anew. One that never answered is not worth waiting for.
func (c *Client) unreached(err error) error {
	if c.reached.Load() && errors.Is(err, syscall.ECONNREFUSED) {
		return &restarting{err}
	}
	return err
}

// withoutQuery keeps out of an error what a Location has in its query, which may be
// as good as a password.
func withoutQuery(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		failed.URL, _, _ = strings.Cut(failed.URL, "?")
	}
	return err
}

// buffer reads the body of an answer into memory, so that one which breaks off is a
// failure like others.
func buffer(resp *http.Response) error {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if len(data) > maxManifest {
		return fmt.Errorf("%w: its answer has more than %d bytes", ErrProtocol, maxManifest)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// check turns an answer that is not expected into an error and closes it.
func check(resp *http.Response, expect []int) error {
	for _, code := range expect {
		if resp.StatusCode == code {
			return nil
		}
	}
	defer resp.Body.Close()
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxError), resp.Body}
	return Delayed(transport.CheckError(resp, expect...), resp.Header)
}

// checkRedirect follows a redirect that keeps the method (RFC 9110, 307 and 308, and
// all for one that changes nothing) and HTTPS, and not without end. That no
// credentials go along is the transport's concern.
func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) >= 10:
		return fmt.Errorf("%w: it redirects without end", ErrProtocol)
	case last.URL.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: its redirect leaves HTTPS", ErrProtocol)
	case last.Method != req.Method:
		return fmt.Errorf("%w: its redirect turns a %s into a %s", ErrProtocol, last.Method, req.Method)
	}
	req.Header.Del("Referer") // the address of an upload, which is as good as a password
	return nil
}

// discard ends an answer whose body does not matter, so that the connection can be
// used again unless the body has no end.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxError)
	_ = resp.Body.Close()
}

// location resolves the Location of an answer against the request's address
// (distribution-spec: it may be relative).
func location(resp *http.Response) (*url.URL, error) {
	text := resp.Header.Get("Location")
	if text == "" {
		return nil, fmt.Errorf("%w: it accepted an upload and named no Location", ErrProtocol)
	}
	ref, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: its Location cannot be parsed", ErrProtocol)
	}
	u := resp.Request.URL.ResolveReference(ref)
	if u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: its Location is not an address of a registry", ErrProtocol)
	}
	if resp.Request.URL.Scheme == "https" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: its Location leaves HTTPS", ErrProtocol)
	}
	u.Fragment = ""
	return u, nil
}

// withQuery adds a parameter to an address that may have others.
func withQuery(u *url.URL, key, value string) *url.URL {
	added := *u
	pair := key + "=" + url.QueryEscape(value)
	added.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+pair, "&")
	return &added
}
