package pull

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	fake "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// server is a registry that remembers what it was asked.
type server struct {
	host string
	// intercept may answer a request itself.
	intercept func(w http.ResponseWriter, r *http.Request) bool

	mu  sync.Mutex
	log []*http.Request
}

func newServer(t *testing.T, ip string) *server {
	t.Helper()
	s := &server{}
	next := fake.New(fake.Logger(log.New(io.Discard, "", 0)))
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	h := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.log = append(s.log, r)
		s.mu.Unlock()
		if s.intercept == nil || !s.intercept(w, r) {
			next.ServeHTTP(w, r)
		}
	})}}
	h.Start()
	t.Cleanup(h.Close)
	s.host = l.Addr().String()
	return s
}

func (s *server) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.log...)
}

func (s *server) gets(text string) int {
	n := 0
	for _, r := range s.requests() {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, text) {
			n++
		}
	}
	return n
}

func (s *server) ref(t *testing.T, rest string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s.host+"/"+rest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (s *server) puller(t *testing.T, keychain *registry.Keychain) Puller {
	t.Helper()
	return Puller{
		Client: registry.New(registry.Options{
			Rules:    []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})},
			Keychain: keychain,
		}),
		Retry: distribution.Retry{Attempts: 3, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	}
}

func (s *server) publish(t *testing.T, rest string, image v1.Image) v1.Hash {
	t.Helper()
	if err := remote.Write(s.ref(t, rest), image); err != nil {
		t.Fatal(err)
	}
	return digest(t, image)
}

func digest(t *testing.T, image interface{ Digest() (v1.Hash, error) }) v1.Hash {
	t.Helper()
	h, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func randomImage(t *testing.T, layers int64) v1.Image {
	t.Helper()
	image, err := random.Image(1000, layers)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func amd64() Platform { return Platform{OS: "linux", Architecture: "amd64"} }
