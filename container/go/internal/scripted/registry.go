// Package scripted is a registry in memory for tests: it speaks the pushing half of
// the OCI distribution-spec as its traits say, keeps a log of what it received, and
// fails on demand.
package scripted

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Traits are what one registry does and another does not. The zero value is a
// registry that does no more than the specification demands, without the header
// Docker-Content-Digest.
type Traits struct {
	Keeps    bool   // what came of an upload before its connection broke
	OnePost  bool   // takes a blob in one POST
	Mounts   bool   // blobs from another repository
	Global   bool   // finds a blob in every repository once it is in one
	Digests  bool   // says Docker-Content-Digest
	Absolute bool   // says absolute Locations
	Names    bool   // says NAME_UNKNOWN of a repository that holds nothing
	Token    string // wants this bearer token, if any
	TLS      bool   // speaks HTTPS, under a certificate that nobody knows
}

// Registry is a registry under 127.0.0.2.
type Registry struct {
	Traits Traits
	server *httptest.Server

	mu        sync.Mutex
	uploads   map[string]*upload
	blobs     map[string]map[string][]byte // by repository and digest
	manifests map[string]map[string]manifest
	begun     int
	log       []*Request
	script    []*line
}

type upload struct {
	repository string
	data       []byte
}

type manifest struct {
	mediaType string
	data      []byte
}

// New starts a registry, which ends with the test.
func New(t testing.TB, traits Traits) *Registry {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{
		Traits:    traits,
		uploads:   map[string]*upload{},
		blobs:     map[string]map[string][]byte{},
		manifests: map[string]map[string]manifest{},
	}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	_ = r.server.Listener.Close()
	r.server.Listener = listener
	if traits.TLS {
		r.server.StartTLS()
	} else {
		r.server.Start()
	}
	t.Cleanup(r.server.Close)
	return r
}

// URL is the registry's address.
func (r *Registry) URL() url.URL {
	u, err := url.Parse(r.server.URL)
	if err != nil {
		panic(err) // httptest made it
	}
	return *u
}

// AddBlob puts a blob into a repository.
func (r *Registry) AddBlob(repository string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addBlob(repository, data)
}

func (r *Registry) addBlob(repository string, data []byte) {
	if r.blobs[repository] == nil {
		r.blobs[repository] = map[string][]byte{}
	}
	r.blobs[repository][digest(data)] = append([]byte{}, data...) // nil stands for none
}

// Blob is a blob of a repository, nil if it has none.
func (r *Registry) Blob(repository, digest string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blob(repository, digest)
}

func (r *Registry) blob(repository, digest string) []byte {
	if r.Traits.Global {
		for _, blobs := range r.blobs {
			if data, ok := blobs[digest]; ok {
				return data
			}
		}
	}
	return r.blobs[repository][digest]
}

// Manifest is what a tag or digest of a repository stands for, nil for nothing.
func (r *Registry) Manifest(repository, reference string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.manifests[repository][reference].data
}

// Uploads is the number of uploads that were begun and not ended.
func (r *Registry) Uploads() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.uploads)
}

// Expire makes another token the one that the registry wants.
func (r *Registry) Expire(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Traits.Token = token
}

func (r *Registry) token() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Traits.Token
}

func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	if token := r.token(); token != "" {
		switch {
		case req.URL.Path == "/token":
			_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
			return
		case req.URL.Path == "/v2/" && req.Header.Get("Authorization") != "Bearer "+token:
			r.challenge(w)
			return
		}
	}
	if req.URL.Path == "/v2/" {
		return
	}
	entry := r.note(req)
	// net/http looks at the body of its own request to end the exchange.
	req = req.WithContext(req.Context())
	req.Body = &counted{req.Body, r, entry}
	if fault := r.fault(*entry); fault != nil {
		fault(r, w, req)
		return
	}
	r.ServeHTTP(w, req)
}

func (r *Registry) challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q,service=%q", r.server.URL+"/token", "scripted"))
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
}

// ServeHTTP answers rightly.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if token := r.token(); token != "" && req.Header.Get("Authorization") != "Bearer "+token {
		drain(req)
		r.challenge(w)
		return
	}
	rest := strings.TrimPrefix(req.URL.Path, "/v2/")
	if repository, id, ok := strings.Cut(rest, "/blobs/uploads/"); ok {
		r.serveUpload(w, req, repository, id)
	} else if repository, sum, ok := strings.Cut(rest, "/blobs/"); ok {
		r.serveBlob(w, repository, sum)
	} else if repository, reference, ok := strings.Cut(rest, "/manifests/"); ok {
		r.serveManifest(w, req, repository, reference)
	} else {
		refuse(w, http.StatusNotFound, "UNSUPPORTED")
	}
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func drain(req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }

// refuse answers with one of the specification's errors.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"as scripted"}]}`, code)
}
