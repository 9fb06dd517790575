package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	user     = "alice"
	password = "correct-horse"
)

// dockerConfig writes a config.json and returns its directory.
func dockerConfig(t *testing.T, content map[string]any) string {
	t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func login(t *testing.T, host string) *Keychain {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return NewKeychain(dockerConfig(t, map[string]any{
		"auths":       map[string]any{host: map[string]string{"auth": auth}},
		"HttpHeaders": map[string]string{"X-Meta-Key": "header-secret", "User-Agent": "mine"},
	}), noEnv)
}

// noEnv is the environment of nobody, on a machine without files.
func noEnv(key string) string {
	if key == RootVariable {
		return "/nonexistent"
	}
	return ""
}

func push(ctx context.Context, client *Client, target name.Repository) error {
	img, err := random.Image(64, 1)
	if err != nil {
		return err
	}
	opts, err := options(ctx, client, target, true)
	if err != nil {
		return err
	}
	return remote.Write(target.Tag("v1"), img, opts...)
}

func encoded() string { return base64.StdEncoding.EncodeToString([]byte(user + ":" + password)) }

func TestCredentialsReachTheRegistry(t *testing.T) {
	rec := &recorder{next: basic(user, password, newFake())}
	host := serve(t, "127.0.0.2", rec, nil)
	var said lines
	client := New(Options{Rules: rules(host, true), Keychain: login(t, host), Notify: said.add, UserAgent: "pusher/1"})
	if err := push(context.Background(), client, repo(t, host+"/team/app")); err != nil {
		t.Fatal(err)
	}
	if !rec.saw(encoded()) || !rec.saw("header-secret") || !rec.saw("pusher/1") || rec.saw("mine") {
		t.Error("the registry did not get the credentials, the headers and the right user agent")
	}
	if n := strings.Count(said.all(), "credentials travel unencrypted"); n != 1 {
		t.Errorf("warned %d times: %q", n, said.all())
	}
}

func TestRedirectsTakeNoCredentials(t *testing.T) {
	cert, pool := certificate(t, tomorrow(), "registry.example", "other.example")
	cases := []struct {
		name     string
		tls      bool
		location string
		wantErr  error
	}{
		{name: "other host, HTTPS", tls: true, location: "https://other.example/x"},
		{name: "other port, HTTPS", tls: true, location: "https://registry.example:444/x"},
		{name: "other host, HTTP after HTTPS", tls: true, location: "http://other.example/x", wantErr: ErrDowngrade},
		{name: "same host, HTTP after HTTPS", tls: true, location: "http://registry.example:80/x", wantErr: ErrDowngrade},
		{name: "other host, HTTP", location: "http://other.example/x"},
		{name: "same name, other port, HTTP", location: "http://registry.example:81/x"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			thief := &recorder{next: http.NotFoundHandler()}
			rec := &recorder{next: basic(user, password, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/manifests/") {
					w.Header().Set("Location", c.location)
					w.WriteHeader(http.StatusTemporaryRedirect)
				}
			}))}
			dial := map[string]string{}
			plainThief, tlsThief := serve(t, "127.0.0.3", thief, nil), serve(t, "127.0.0.3", thief, cert)
			for _, h := range []string{"other.example", "registry.example"} {
				dial[h+":80"], dial[h+":81"], dial[h+":444"], dial[h+":443"] = plainThief, plainThief, tlsThief, tlsThief
			}
			opts := Options{RootCAs: pool, Keychain: login(t, "registry.example"), DialContext: dialTo(dial)}
			if c.tls {
				dial["registry.example:443"] = serve(t, "127.0.0.2", rec, cert)
			} else {
				dial["registry.example:80"] = serve(t, "127.0.0.2", rec, nil)
				dial["registry.example:443"] = closedPort
				opts.Rules = rules("registry.example", true)
			}
			client := New(opts)
			target := repo(t, "registry.example/team/app")
			err := head(client, target)
			if err == nil || c.wantErr != nil && !errors.Is(err, c.wantErr) {
				t.Errorf("got %v, want %v", err, c.wantErr)
			}
			if !rec.saw(encoded()) {
				t.Error("the registry was not given its credentials, so the test proves nothing")
			}
			if c.wantErr == nil && thief.count() == 0 {
				t.Error("the redirect was not followed, so the test proves nothing")
			}
			for _, secret := range []string{encoded(), password, "header-secret"} {
				if thief.saw(secret) {
					t.Errorf("the other server was given %q", secret)
				}
			}
		})
	}
}

// tokenServer answers every request with a token, and refuses without credentials.
func tokenServer() http.Handler {
	return basic(user, password, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"token": "the-token"})
	}))
}

// bearer is a registry that wants the token of realm.
func bearer(realm string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, realm))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestTokenRealm(t *testing.T) {
	cert, pool := certificate(t, tomorrow(), "registry.example", "auth.example")
	cases := []struct {
		name  string
		tls   bool
		realm string
		given bool // the realm gets the credentials
	}{
		{name: "HTTPS realm of an HTTPS registry", tls: true, realm: "https://auth.example/token", given: true},
		{name: "HTTPS realm of an HTTP registry", realm: "https://auth.example/token", given: true},
		{name: "HTTP realm on the HTTP registry's host", realm: "http://registry.example:81/token", given: true},
		{name: "HTTP realm elsewhere", realm: "http://auth.example/token"},
		{name: "HTTP realm of an HTTPS registry", tls: true, realm: "http://auth.example/token"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			realm := &recorder{next: tokenServer()}
			rec := &recorder{next: bearer(c.realm, newFake())}
			plainRealm := serve(t, "127.0.0.3", realm, nil)
			dial := map[string]string{
				"auth.example:443":     serve(t, "127.0.0.3", realm, cert),
				"auth.example:80":      plainRealm,
				"registry.example:81":  plainRealm,
				"registry.example:443": closedPort,
			}
			opts := Options{RootCAs: pool, Keychain: login(t, "registry.example"), DialContext: dialTo(dial)}
			if c.tls {
				dial["registry.example:443"] = serve(t, "127.0.0.2", rec, cert)
			} else {
				dial["registry.example:80"] = serve(t, "127.0.0.2", rec, nil)
				opts.Rules = rules("registry.example", true)
			}
			err := push(context.Background(), New(opts), repo(t, "registry.example/team/app"))
			if (err == nil) != c.given {
				t.Errorf("got %v", err)
			}
			if realm.saw(encoded()) != c.given {
				t.Errorf("realm given the credentials: %v, want %v", !c.given, c.given)
			}
			if rec.saw(encoded()) {
				t.Error("the registry was given what is for its realm only")
			}
		})
	}
}

// TestGuardAlone drives the guard with requests that the layers above it would not
// make.
func TestGuardAlone(t *testing.T) {
	thief := &recorder{next: http.NotFoundHandler()}
	cert, pool := certificate(t, tomorrow(), "other.example")
	dial := dialTo(map[string]string{
		"other.example:443": serve(t, "127.0.0.3", thief, cert),
		"other.example:80":  serve(t, "127.0.0.3", thief, nil),
	})
	cases := []struct {
		name, method, url, auth, form string
		mode                          Mode
		wantErr                       error
	}{
		{name: "Basic to another host", url: "https://other.example/", auth: "Basic " + encoded()},
		{name: "used token to another host", url: "https://other.example/", auth: "Bearer the-token"},
		{name: "token to another host over HTTP", url: "http://other.example/", auth: "Bearer fresh", mode: PlainHTTP},
		{name: "refresh token to another host", method: http.MethodPost, url: "https://other.example/",
			form: "refresh_token=the-token", wantErr: ErrLeak},
		{name: "HTTP after HTTPS", url: "http://other.example/", wantErr: ErrDowngrade},
		{name: "HTTP after unverified HTTPS", url: "http://other.example/", mode: UnverifiedHTTPS, wantErr: ErrDowngrade},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := New(Options{RootCAs: pool, DialContext: dial})
			g := newGuard(client, Decision{Host: "registry.example", Mode: c.mode}, map[string]string{"X": "header-secret"})
			g.sent["Bearer the-token"] = true
			req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.form))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", c.auth)
			if c.form != "" {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			before := thief.count()
			resp, err := g.RoundTrip(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			if !errors.Is(err, c.wantErr) {
				t.Errorf("got %v, want %v", err, c.wantErr)
			}
			if asked := thief.count() > before; asked != (c.wantErr == nil) {
				t.Errorf("server asked: %v", asked)
			}
			for _, secret := range []string{encoded(), "the-token", "fresh", "header-secret"} {
				if thief.saw(secret) {
					t.Errorf("the other server was given %q", secret)
				}
			}
		})
	}
	t.Run("fresh token over HTTPS passes", func(t *testing.T) {
		client := New(Options{RootCAs: pool, DialContext: dial})
		g := newGuard(client, Decision{Host: "registry.example"}, nil)
		req, err := http.NewRequest(http.MethodGet, "https://other.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer anonymous-token")
		resp, err := g.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if !thief.saw("anonymous-token") {
			t.Error("an anonymous token for the server itself was taken away")
		}
	})
}

func TestNoSecretInErrors(t *testing.T) {
	// The registry echoes what it was sent, decoded too.
	host := serve(t, "127.0.0.2", basic("someone", "else", newFake()), nil)
	client := New(Options{Rules: rules(host, true), Keychain: login(t, host)})
	target := repo(t, host+"/team/app")
	opts, err := options(context.Background(), client, target, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = remote.Get(target.Tag("v1"), opts...)
	err = client.Explain(target, err)
	if !errors.Is(err, ErrCredentialsRefused) {
		t.Fatalf("got %v", err)
	}
	for _, secret := range []string{password, encoded()} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q has %q in it", err, secret)
		}
	}
	if !strings.Contains(err.Error(), "[redacted]") {
		t.Errorf("%q: the registry did not echo, so the test proves nothing", err)
	}
	t.Run("short ones", func(t *testing.T) {
		var s secrets
		s.add("t", "test", "long-secret")
		for text, want := range map[string]string{
			"unexpected status of the latest test": "unexpected status of the latest [redacted]",
			`refused "test" and Basic t`:           `refused "[redacted]" and Basic [redacted]`,
			"along-secrets":                        "a[redacted]s",
			"test":                                 "[redacted]",
			"testtest test-test":                   "testtest [redacted]-[redacted]",
		} {
			if got := s.redact(text); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
	t.Run("token server without a token", func(t *testing.T) {
		host := ""
		host = serve(t, "127.0.0.2", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				fmt.Fprint(w, `{"refresh_token": "hunter2"}`)
				return
			}
			bearer("http://"+host+"/token", newFake()).ServeHTTP(w, r)
		}), nil)
		client, target := New(Options{Rules: rules(host, true)}), repo(t, host+"/team/app")
		client.Announce(target, false)
		_, err := client.Transport(t.Context(), target)
		if err = client.Explain(target, err); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "refresh_token") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("query", func(t *testing.T) {
		err := client.Explain(target, &url.Error{Op: "Put", URL: "https://u:pw@s.example/b?sig=abc", Err: errors.New("no")})
		if strings.Contains(err.Error(), "abc") || strings.Contains(err.Error(), "pw@") || !strings.Contains(err.Error(), "s.example/b") {
			t.Errorf("got %q", err)
		}
	})
}

func TestPrivateNetworksGetNoCredentials(t *testing.T) {
	rec := &recorder{next: basic(user, password, newFake())}
	served := serve(t, "127.0.0.2", rec, nil)
	for _, c := range []struct {
		name     string
		declared bool
		want     error
	}{
		{"not declared", false, ErrUndeclared},
		{"declared", true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			const host = "10.9.8.7:5000"
			client := New(Options{Rules: rules(host, c.declared), Keychain: login(t, host),
				DialContext: dialTo(map[string]string{host: served})})
			err := push(context.Background(), client, repo(t, host+"/team/app"))
			if !errors.Is(err, c.want) {
				t.Fatalf("%v is not %v", err, c.want)
			}
			if rec.saw(encoded()) != c.declared {
				t.Errorf("the registry saw the credentials: %v", !c.declared)
			}
		})
	}
}
