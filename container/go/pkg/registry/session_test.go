package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// A registry or token server that is not ready gets another handshake. One that refuses
// does not, however many repositories there are: that would lock an account.
func TestHandshakeIsMadeAnew(t *testing.T) {
	for _, c := range []struct {
		name      string
		path      string // that fails the first time
		status    int
		after     string // Retry-After
		again     bool   // the next call gets through
		handshake int32  // requests for the path
	}{
		{"503", "/v2/", 503, "", true, 2},
		{"429 and a time", "/v2/", 429, "7", true, 2},
		{"429 of the token server", "/v2/token", 429, "7", true, 2},
		{"400", "/v2/", 400, "", false, 2}, // one for all repositories, one for each
		{"401 of the token server", "/v2/token", 401, "", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			var tokens tokens
			host := ""
			host = serve(t, "127.0.0.2", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == c.path && (asked.Add(1) == 1 || !c.again) {
					w.Header().Set("Retry-After", c.after)
					http.Error(w, strings.Repeat("busy ", 10), c.status)
				} else if r.URL.Path == "/v2/token" {
					tokens.token(w, r)
				} else {
					tokens.registry("http://"+host+"/v2/token", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
				}
			}), nil)
			client := New(Options{Rules: rules(host, true)})
			target := repo(t, host+"/team/app")
			client.Announce(target, true)
			_, err := client.Transport(t.Context(), target)
			var typed *Error
			if !errors.As(client.Explain(target, err), &typed) || typed.Status != c.status {
				t.Fatalf("the first handshake: %v", err)
			}
			if got := distribution.IsPassing(err); got != c.again {
				t.Errorf("it is said to pass: %t", got)
			}
			checkWish(t, err, c.after)
			if _, err := client.Transport(t.Context(), target); (err == nil) != c.again {
				t.Errorf("the second handshake: %v", err)
			}
			if got := asked.Load(); got != c.handshake {
				t.Errorf("%s was asked %d times, want %d", c.path, got, c.handshake)
			}
		})
	}
}

// checkWish checks for how long a client of the distribution package would wait.
func checkWish(t *testing.T, failure error, after string) {
	t.Helper()
	if after == "" {
		return
	}
	want, err := time.ParseDuration(after + "s")
	if err != nil {
		t.Fatal(err)
	}
	var slept time.Duration
	client := distribution.New(url.URL{Scheme: "http", Host: "127.0.0.2"}, func(context.Context, string) (http.RoundTripper, error) { return nil, failure },
		distribution.Retry{Jitter: func() float64 { return 0 }, Sleep: func(_ context.Context, d time.Duration) error {
			slept = d
			return context.Canceled
		}}, &distribution.Stats{})
	if _, _, err := client.Manifest(t.Context(), "team/app", "v1", false); err == nil || slept != want {
		t.Errorf("waited %v, want %v: %v", slept, want, err)
	}
}

// Whose turn is cut short leaves the handshake to the next.
func TestHandshakeIsCancelled(t *testing.T) {
	host := serve(t, "127.0.0.2", newFake(), nil)
	client := New(Options{Rules: rules(host, true)})
	target := repo(t, host+"/team/app")
	client.Announce(target, true)
	if _, err := client.Decide(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Transport(ctx, target); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Transport(t.Context(), target); err != nil {
		t.Error(err)
	}
}

// A registry whose answer to the handshake has no end does not keep anybody.
func TestEndlessHandshake(t *testing.T) {
	host := serve(t, "127.0.0.2", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for junk := make([]byte, 64<<10); r.Context().Err() == nil; {
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	}), nil)
	client := New(Options{Rules: []Rule{Always(Policy{PlainHTTP: true, Reason: "test"})}})
	target := repo(t, host+"/team/app")
	client.Announce(target, true)
	rt, err := client.Transport(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	// What is downloaded has its own bounds.
	resp, err := (&http.Client{Transport: rt}).Get("http://" + host + "/v2/team/app/blobs/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyN(io.Discard, resp.Body, 3*maxHandshake); err != nil {
		t.Errorf("%d bytes of a blob, %v", n, err)
	}
}

// The scopes of a run are put together once, and not for each request: there may be
// thousands of both.
func TestScopesAreAskedForOnce(t *testing.T) {
	host := serve(t, "127.0.0.2", newFake(), nil)
	client := New(Options{Rules: rules(host, true)})
	target := repo(t, host+"/team/app")
	client.Announce(target, true)
	h := client.host(t.Context(), host)
	a := client.login(t.Context(), target, h)
	asked := 0
	for range 3 {
		s := client.session(t.Context(), a, h, a.key, func() []string {
			asked++
			return nil
		})
		if s.err != nil {
			t.Fatal(s.err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
