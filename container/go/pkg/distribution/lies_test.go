package distribution

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

const secret = "hush-hush"

// authorized is a world whose registry wants a token, and whose client gets it as
// go-containerregistry does.
func authorized(t *testing.T, traits scripted.Traits) *world {
	t.Helper()
	traits.Token = secret
	registry := scripted.New(t, traits)
	u := registry.URL()
	host, err := name.NewRegistry(u.Host, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	inner := connect(t, nil)
	rt, err := transport.NewWithContext(t.Context(), host, authn.Anonymous, rewinding{inner}, []string{"repository:" + repo + ":push,pull"})
	if err != nil {
		t.Fatal(err)
	}
	return worldOf(t, registry, rt)
}

// rewinding gives a request that is made twice its body anew, which the transports of
// a Client have to do.
type rewinding struct{ http.RoundTripper }

func (r rewinding) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.GetBody != nil {
		_ = req.Body.Close()
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	return r.RoundTripper.RoundTrip(req)
}

// noSecret checks that a registry got requests and no credentials with them.
func noSecret(t *testing.T, r *scripted.Registry, want ...string) {
	t.Helper()
	if got := r.Sequence(); !slices.Equal(got, want) {
		t.Errorf("the other host got %v, want %v", got, want)
	}
	for _, q := range r.Log() {
		if got := q.Header.Get("Authorization"); got != "" {
			t.Errorf("the other host got Authorization %q", got)
		}
	}
}

// A token that ends in mid-upload is renewed, and the body sent from its beginning.
func TestTokenExpires(t *testing.T) {
	w := authorized(t, scripted.Traits{})
	w.registry.Script("PUT upload", 1, func(r *scripted.Registry, rw http.ResponseWriter, req *http.Request) {
		r.Expire("another")
		r.ServeHTTP(rw, req)
	})
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.did(0, "POST upload", "PUT upload", "PUT upload")
	w.slept(nil)
}

// Storage on another host gets the blob, and nothing to log in with.
func TestLocationElsewhere(t *testing.T) {
	w := authorized(t, scripted.Traits{})
	storage := scripted.New(t, scripted.Traits{Keeps: true})
	const at = "http://HOST/v2/bucket/blobs/uploads/object?_state=object&sig=" + secret
	w.registry.Script("POST upload", 1, scripted.Alter(elsewhere(storage.URL(), "Location: "+at)))
	storage.Script("PUT upload", 1, scripted.Status(503))
	storage.Script("GET upload", 1, scripted.Answer(204, "Range: 0-999"))
	storage.Script("PUT upload", 1, scripted.Answer(201))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.did(0, "POST upload")
	noSecret(t, storage, "PUT upload", "GET upload", "PUT upload")
	put := storage.Log()[2]
	if put.Body != big-1000 || put.Query.Get("sig") != secret || put.Query.Get("digest") != b.Digest.String() {
		t.Errorf("the storage got %d bytes for %v", put.Body, put.Query)
	}
}

// What an address holds is not for everyone who reads the log.
func TestErrorKeepsQuery(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	w.registry.Script("POST upload", scripted.Always, scripted.Answer(202, "Location: /v2/x/blobs/uploads/y?sig="+secret))
	for name, fault := range map[string]scripted.Fault{"reset": scripted.LoseAnswer(), "status": scripted.Status(403)} {
		w.registry.Script("PUT upload", 6, fault)
		_, err := w.client.Ensure(t.Context(), repo, fileOf(t, random(big)), Origin{}, true)
		failed(t, err, "/blobs/uploads/y")
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
}

// What a registry must not say is an error, after which nothing is there.
func TestBadLocation(t *testing.T) {
	tests := []struct {
		name     string
		location string
		tls      bool
		want     string
	}{
		{"missing", "Location:", false, "no Location"},
		{"unparsable", "Location: http://[::1", false, "cannot be parsed"},
		{"from HTTPS to HTTP", "Location: http://HOST/v2/x/blobs/uploads/y", true, "leaves HTTPS"},
		{"user information", "Location: http://me:" + secret + "@HOST/v2/x/blobs/uploads/y", false, "not an address"},
		{"other scheme", "Location: file:///etc/passwd", false, "not an address"},
		{"no host", "Location: http:///v2/x", false, "not an address"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, scripted.Traits{TLS: test.tls})
			there := scripted.New(t, scripted.Traits{})
			w.registry.Script("POST upload", 1, scripted.Alter(elsewhere(there.URL(), test.location)))
			b := fileOf(t, random(big))
			_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
			failed(t, err, test.want)
			if !errors.Is(err, ErrProtocol) {
				t.Errorf("not ErrProtocol: %v", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells a secret: %v", err)
			}
			w.did(0, "POST upload")
			w.hasNot(repo, b)
			noSecret(t, there)
		})
	}
}

func TestRedirect(t *testing.T) {
	tests := []struct {
		name   string
		tls    bool
		what   string
		status int
		want   string // of the error
	}{
		{"PUT 307", false, "PUT upload", 307, ""},
		{"PUT 308", false, "PUT upload", 308, ""},
		{"PUT 302", false, "PUT upload", 302, "turns a PUT into a GET"},
		{"POST 301", false, "POST upload", 301, "turns a POST into a GET"},
		{"PUT from HTTPS to HTTP", true, "PUT upload", 307, "leaves HTTPS"},
		{"POST from HTTPS to HTTP", true, "POST upload", 307, "leaves HTTPS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := authorized(t, scripted.Traits{TLS: test.tls})
			there := scripted.New(t, scripted.Traits{})
			there.Script("PUT upload", 1, scripted.Answer(201))
			to := elsewhere(there.URL(), "Location: http://HOST/v2/bucket/blobs/uploads/object")
			w.registry.Script(test.what, 1, scripted.Answer(test.status, to))
			b := fileOf(t, random(big))
			_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
			if test.want != "" {
				failed(t, err, test.want)
				noSecret(t, there)
				w.slept(nil)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			noSecret(t, there, "PUT upload")
			if got := there.BlobBytes(); got != big {
				t.Errorf("the other host got %d bytes", got)
			}
			if got := there.Log()[0].Header.Get("Referer"); got != "" {
				t.Errorf("the other host was told of %s", got)
			}
		})
	}
	w := newWorld(t, scripted.Traits{})
	w.registry.Script("HEAD blob", scripted.Always, scripted.Answer(307, "Location: /v2/x/blobs/y"))
	_, err := w.client.HasBlob(t.Context(), repo, sumOf(t, nil))
	failed(t, err, "redirects without end")
	if got := len(w.registry.Log()); got != 10 {
		t.Errorf("%d requests", got)
	}
}

// Another digest than what was sent is never taken for it.
func TestLyingDigest(t *testing.T) {
	lie := scripted.Alter("Docker-Content-Digest: " + sumOf(t, []byte("something else")).String())
	tests := []struct {
		what  string
		size  int
		from  Origin
		fresh bool
	}{
		{"PUT upload", big, Origin{}, true},
		{"POST upload+blob", small, Origin{}, true},
		{"POST mount", usual, Origin{other, true}, true},
		{"POST mount", usual, Origin{other, false}, false},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			w := newWorld(t, scripted.Traits{OnePost: true, Mounts: true, Digests: true})
			data := random(test.size)
			w.registry.AddBlob(other, data)
			w.registry.Script(test.what, 1, lie)
			_, err := w.client.Ensure(t.Context(), repo, blobOf(t, data), test.from, test.fresh)
			if !errors.Is(err, ErrDigest) {
				t.Errorf("not ErrDigest: %v", err)
			}
			w.slept(nil)
		})
	}
}

// A registry cannot have what nobody named to it.
func TestCreatedForNothing(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	w.registry.Script("POST upload", 1, scripted.Answer(201, "Location: /v2/some/where/blobs/x"))
	_, err := w.client.Ensure(t.Context(), repo, fileOf(t, random(big)), Origin{}, true)
	if !errors.Is(err, ErrProtocol) {
		t.Errorf("not ErrProtocol: %v", err)
	}
	w.did(0, "POST upload")
}

// An answer without end costs neither memory nor time without end.
func TestEndless(t *testing.T) {
	t.Run("error", func(t *testing.T) {
		w := newWorld(t, scripted.Traits{})
		w.registry.Script("POST upload", scripted.Always, scripted.Endless(500))
		_, err := w.client.Ensure(t.Context(), repo, fileOf(t, random(big)), Origin{}, true)
		failed(t, err, "500")
		if len(err.Error()) > maxError+1000 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
		w.did(0, repeat(6, "POST upload")...)
	})
	t.Run("manifest", func(t *testing.T) {
		w := newWorld(t, scripted.Traits{})
		w.registry.Script("GET manifest", scripted.Always, scripted.Endless(200))
		_, _, err := w.client.Manifest(t.Context(), repo, "latest", false)
		if !errors.Is(err, ErrProtocol) {
			t.Errorf("not ErrProtocol: %v", err)
		}
		w.did(0, "GET manifest")
	})
	t.Run("success", func(t *testing.T) {
		w := newWorld(t, scripted.Traits{})
		w.registry.Script("PUT upload", 1, scripted.Endless(201))
		w.ensure(fileOf(t, random(big)), Origin{}, true)
		w.did(0, begun...)
	})
}

// A registry may take its time to finish an upload: nothing that is asked meanwhile,
// of it or of others, ends the wait.
func TestSlowFinish(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	taken, release, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	w.registry.Script("PUT upload", 1, scripted.Hold(taken, release))
	b := fileOf(t, random(big))
	go func() {
		_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
		ended <- err
	}()
	<-taken
	for range 20 {
		if _, err := w.client.HasBlob(t.Context(), other, b.Digest); err != nil {
			t.Error(err)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.has(repo, b)
	w.received(big)
	w.slept(nil)
}
