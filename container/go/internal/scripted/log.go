package scripted

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Request is a request that the registry received.
type Request struct {
	Number int // among those of its method, from 1
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   int64 // bytes of it that were read
}

// String is the method and the kind of the address, as "PUT upload".
func (q Request) String() string {
	switch {
	case strings.HasSuffix(q.Path, "/blobs/uploads/"):
		kind := "upload"
		if q.Query.Has("mount") {
			kind = "mount"
		}
		if q.Query.Has("digest") {
			kind += "+blob"
		}
		return q.Method + " " + kind
	case strings.Contains(q.Path, "/blobs/uploads/"):
		return q.Method + " upload"
	case strings.Contains(q.Path, "/blobs/"):
		return q.Method + " blob"
	case strings.Contains(q.Path, "/manifests/"):
		return q.Method + " manifest"
	default:
		return fmt.Sprintf("%s %s", q.Method, q.Path)
	}
}

func (r *Registry) note(req *http.Request) *Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry := &Request{
		Number: 1,
		Method: req.Method,
		Path:   req.URL.Path,
		Query:  req.URL.Query(),
		Header: req.Header.Clone(),
	}
	for _, earlier := range r.log {
		if earlier.Method == entry.Method {
			entry.Number++
		}
	}
	r.log = append(r.log, entry)
	return entry
}

// Log is what was received so far, but for the handshake.
func (r *Registry) Log() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	log := make([]Request, len(r.log))
	for i, entry := range r.log {
		log[i] = *entry
	}
	return log
}

// Sequence is the log in short.
func (r *Registry) Sequence() []string {
	var sequence []string
	for _, q := range r.Log() {
		sequence = append(sequence, q.String())
	}
	return sequence
}

// BlobBytes is how many bytes of blobs were received, those that came in vain
// included.
func (r *Registry) BlobBytes() int64 {
	var total int64
	for _, q := range r.Log() {
		if strings.Contains(q.Path, "/blobs/") {
			total += q.Body
		}
	}
	return total
}

// counted is a body whose bytes are entered into the log as they are read.
type counted struct {
	io.ReadCloser
	registry *Registry
	entry    *Request
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.registry.mu.Lock()
	c.entry.Body += int64(n)
	c.registry.mu.Unlock()
	return n, err
}
