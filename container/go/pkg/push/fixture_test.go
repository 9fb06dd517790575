package push

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	fake "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// files is an image as the rules leave it.
type files struct {
	dir    string
	plan   spec.Push
	layers []LayerFiles
	diffs  []v1.Hash
}

func save(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sum(t *testing.T, data []byte) v1.Hash {
	t.Helper()
	h, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// build writes an image of two layers. Paths of the plan are absolute, and resolve
// leaves them alone.
func build(t *testing.T) files {
	t.Helper()
	f := files{dir: t.TempDir()}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	config := v1.ConfigFile{Architecture: "amd64", OS: "linux", RootFS: v1.RootFS{Type: "layers"}}
	for i := range 2 {
		plain := []byte(strings.Repeat(fmt.Sprintf("layer %d ", i), 1000))
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		digest, id := sum(t, buf.Bytes()), sum(t, plain)
		base := filepath.Join(f.dir, fmt.Sprintf("layer%d", i))
		f.layers = append(f.layers, LayerFiles{
			Compressed: save(t, base+".tar.gz", buf.Bytes()), Uncompressed: save(t, base+".tar", plain),
			Digest: save(t, base+".sha256", []byte(digest.Hex)), DiffID: save(t, base+".diffid", []byte(id.Hex+"\n")),
		})
		f.diffs = append(f.diffs, id)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, id)
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: types.DockerLayer, Digest: digest, Size: int64(buf.Len())})
		f.plan.Layers = append(f.plan.Layers, base+".tar.gz")
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	m.Config = v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: sum(t, data), Size: int64(len(data))}
	f.plan.Config = save(t, filepath.Join(f.dir, "config.json"), data)
	f.writeManifest(t, m)
	f.plan.Format = "Docker"
	return f
}

func (f *files) writeManifest(t *testing.T, m v1.Manifest) {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	f.plan.Manifest = save(t, filepath.Join(f.dir, "manifest.json"), data)
}

func asIs(p string) (string, error) {
	if p == "" {
		return "", errors.New("empty path")
	}
	return p, nil
}

// server is a registry that remembers what it was asked.
type server struct {
	host string
	mu   sync.Mutex
	log  []string
	// intercept may answer a request itself.
	intercept func(w http.ResponseWriter, r *http.Request) bool
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	next := fake.New(fake.Logger(log.New(io.Discard, "", 0)))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.log = append(s.log, r.Method+" "+r.URL.Path)
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

// asked counts requests that begin so, and forgets nothing.
func (s *server) asked(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, line := range s.log {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// posts are the uploads that were begun or made.
func (s *server) posts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var posts []string
	for _, line := range s.log {
		if strings.HasPrefix(line, "POST ") {
			posts = append(posts, line)
		}
	}
	return posts
}

func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

func (s *server) client() *registry.Client {
	return registry.New(registry.Options{Rules: []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})}})
}

func (s *server) planner(sequential bool) Planner {
	return Planner{Client: s.client(), Sequential: sequential, Retry: distribution.Retry{
		Attempts: 3,
		Sleep:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}}
}

func (s *server) ref(t *testing.T, rest string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s.host+"/"+rest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func one(t *testing.T, s *server, job Job) Result {
	t.Helper()
	return s.planner(false).Push(context.Background(), []Job{job}, nil)[0]
}
