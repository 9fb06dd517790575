package registries_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// running is what all registries have in common.
type running interface {
	Addr() string
	Requests() []string
	Close() error
}

func TestRegistries(t *testing.T) {
	for _, tc := range []struct {
		name   string
		start  func(t *testing.T) (running, error)
		status int
	}{
		{"memory", func(*testing.T) (running, error) { return registries.Memory() }, http.StatusOK},
		{"failing", func(*testing.T) (running, error) { return registries.Failing(http.StatusBadGateway) }, http.StatusBadGateway},
		{"distribution", func(t *testing.T) (running, error) {
			return registries.StartDistribution(context.Background(), t.TempDir())
		}, http.StatusOK},
		{"protected distribution", func(t *testing.T) (running, error) {
			return registries.StartDistribution(context.Background(), t.TempDir(), registries.Protected())
		}, http.StatusUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			registry, err := tc.start(t)
			if err != nil {
				t.Fatal(err)
			}
			if got := get(t, registry.Addr(), "", ""); got != tc.status {
				t.Errorf("status %d, want %d", got, tc.status)
			}
			if err := registry.Close(); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(registry.Requests(), "GET /v2/") {
				t.Errorf("requests %q lack the one just made", registry.Requests())
			}
			if _, err := http.Get("http://" + registry.Addr() + "/v2/"); err == nil {
				t.Error("it answers after Close")
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	registry, err := registries.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	url := "https://" + registry.Addr() + "/v2/"
	var unknown x509.UnknownAuthorityError
	if _, err := http.Get(url); !errors.As(err, &unknown) {
		t.Errorf("a client that verifies gets %v", err)
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer trusting.CloseIdleConnections()
	resp, err := trusting.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", resp.StatusCode, err)
	}
}

func TestProtectedAcceptsItsAccount(t *testing.T) {
	registry, err := registries.StartDistribution(context.Background(), t.TempDir(), registries.Protected())
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	if got := get(t, registry.Addr(), registries.User, registries.Password); got != http.StatusOK {
		t.Errorf("right password: status %d", got)
	}
	if got := get(t, registry.Addr(), registries.User, "guess"); got != http.StatusUnauthorized {
		t.Errorf("wrong password: status %d", got)
	}
}

func TestMirrors(t *testing.T) {
	upstream, err := registries.Memory()
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	mirror, err := registries.StartDistribution(context.Background(), t.TempDir(), registries.Mirrors(upstream.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	if err := crane.Push(empty.Image, upstream.Addr()+"/team/app:v1", crane.Insecure); err != nil {
		t.Fatal(err)
	}
	want, err := empty.Image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := crane.Digest(mirror.Addr()+"/team/app@"+want.String(), crane.Insecure); err != nil || got != want.String() {
		t.Errorf("the mirror has %s (%v), want %s", got, err, want)
	}
}

func TestCountBytes(t *testing.T) {
	memory, err := registries.Memory()
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	counter, err := registries.CountBytes(memory.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer counter.Close()
	const digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	resp, err := http.Post("http://"+counter.Addr()+"/v2/a/blobs/uploads/?digest="+digest, "", strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusCreated || counter.Sent() != 3 {
		t.Errorf("status %d after %d bytes, %v", resp.StatusCode, counter.Sent(), err)
	}
	if got := get(t, counter.Addr(), "u", "p"); got != http.StatusOK || len(counter.Downloads()) != 0 {
		t.Errorf("status %d, downloads %v", got, counter.Downloads())
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+counter.Addr()+"/v2/a/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("u", "p")
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || counter.Downloads()["/v2/a/blobs/"+digest] != 1 {
		t.Errorf("downloads %v, %v", counter.Downloads(), err)
	}
}

func TestCount(t *testing.T) {
	requests := []string{"PUT /v2/a/manifests/x", "PUT /v2/a/blobs/uploads/1", "GET /v2/"}
	for method, want := range map[string]int{"PUT": 2, "PUT /v2/a/manifests": 1, "POST": 0} {
		if got := registries.Count(requests, method); got != want {
			t.Errorf("Count(%q) = %d, want %d", method, got, want)
		}
	}
}

// get asks for /v2/ and returns the status.
func get(t *testing.T, addr, user, password string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestWire(t *testing.T) {
	registry, err := registries.Memory()
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	wire, err := registries.NewWire(registry.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	if got := get(t, wire.Addr(), "", ""); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	sent := wire.Sent()
	if requests := wire.Requests(); sent == 0 || !slices.Equal(requests, []string{"GET /v2/"}) {
		t.Errorf("%d bytes in requests %q", sent, requests)
	}
	var paused atomic.Bool
	wire.Before("PUT /v2/", func() error { paused.Store(true); return nil })
	wire.At(sent+1000, func() error { return registries.ErrCut })
	// Names a digest, since without one the registry may answer before the cut, unread.
	const target = "/v2/a/blobs/uploads/1?digest=sha256:30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"
	req, err := http.NewRequest(http.MethodPut, "http://"+wire.Addr()+target, bytes.NewReader(make([]byte, 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req); err == nil {
		t.Errorf("a connection that was cut answers %s", resp.Status)
	}
	if !paused.Load() || wire.Sent() != sent+1000 {
		t.Errorf("paused: %v; %d bytes passed, want %d", paused.Load(), wire.Sent(), sent+1000)
	}
}

func TestTokenServer(t *testing.T) {
	tokens, err := registries.NewTokenServer(registries.TokenRules{Scopes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	for _, tc := range []struct {
		name, password, query string
		status                int
	}{
		{"right", registries.Password, "?scope=repository:a:pull,push", http.StatusOK},
		{"wrong password", "guess", "?scope=repository:a:pull", http.StatusUnauthorized},
		{"too many scopes", registries.Password, "?scope=repository:a:pull&scope=repository:b:pull", http.StatusBadRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodGet, tokens.Realm()+tc.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth(registries.User, tc.password)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tc.status)
			}
		})
	}
	if given := tokens.Given(); len(given) != 1 || tokens.Refused() != 1 || tokens.Credentials() != 3 {
		t.Errorf("given %q, refused %d, credentials seen %d times", given, tokens.Refused(), tokens.Credentials())
	}
}
