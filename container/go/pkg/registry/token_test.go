package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// tokens is a token server, and the registry that wants its tokens.
type tokens struct {
	mu      sync.Mutex
	asked   [][]string      // scopes of each request
	valid   map[string]bool // tokens
	uses    int             // how often a token is accepted, 0 for always
	left    map[string]int
	refuse  int // refuses requests with more scopes than this, 0 for never
	refresh string
	basic   string
}

func (s *tokens) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	scopes := r.Form["scope"]
	if r.Method == http.MethodPost {
		scopes = strings.Fields(r.PostForm.Get("scope"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, scopes)
	if s.refuse > 0 && len(scopes) > s.refuse {
		http.Error(w, `{"errors":[{"code":"DENIED"}]}`, http.StatusForbidden)
		return
	}
	user, password, _ := r.BasicAuth()
	if s.refresh != "" && r.PostForm.Get("refresh_token") != s.refresh ||
		s.basic != "" && user+":"+password != s.basic {
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
		return
	}
	token := fmt.Sprintf("token-%d", len(s.asked))
	if s.valid == nil {
		s.valid, s.left = map[string]bool{}, map[string]int{}
	}
	s.valid[token], s.left[token] = true, s.uses
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token, "access_token": token})
}

func (s *tokens) registry(realm string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		ok := s.valid[token] && (s.uses == 0 || s.left[token] > 0)
		if ok {
			s.left[token]--
		}
		s.mu.Unlock()
		if !ok {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, realm))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *tokens) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// serveTokens starts a registry with a token server on another host, both with TLS.
func serveTokens(t *testing.T, s *tokens, next http.Handler) Options {
	t.Helper()
	cert, pool := certificate(t, tomorrow(), "registry.example", "auth.example")
	return Options{RootCAs: pool, DialContext: dialTo(map[string]string{
		"registry.example:443": serve(t, "127.0.0.2", s.registry("https://auth.example/token", next), cert),
		"auth.example:443":     serve(t, "127.0.0.3", http.HandlerFunc(s.token), cert),
	})}
}

func TestOneTokenForAllRepositories(t *testing.T) {
	const count = 30
	for _, c := range []struct {
		name   string
		refuse int
		want   int
	}{
		{"a server that gives one", 0, 1},
		{"a server that does not", 1, 1 + count},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &tokens{refuse: c.refuse}
			client := New(serveTokens(t, s, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			var repos []name.Repository
			for i := range count {
				repos = append(repos, repo(t, fmt.Sprintf("registry.example/team/app%d", i)))
				client.Announce(repos[i], true)
			}
			var group sync.WaitGroup
			for _, r := range repos {
				group.Go(func() {
					rt, err := client.Transport(context.Background(), r)
					if err != nil {
						t.Error(err)
						return
					}
					resp, err := (&http.Client{Transport: rt}).Get("https://registry.example/v2/" + r.RepositoryStr() + "/tags/list")
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("%v, %v", resp, err)
						return
					}
					_ = resp.Body.Close()
				})
			}
			group.Wait()
			if s.requests() != c.want || len(s.asked[0]) != count {
				t.Errorf("%d requests for tokens, the first for %d scopes", s.requests(), len(s.asked[0]))
			}
		})
	}
}

func TestTokenEndsDuringAnUpload(t *testing.T) {
	s := &tokens{uses: 2}
	var bodies []string
	client := New(serveTokens(t, s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
	})))
	target := repo(t, "registry.example/team/app")
	client.Announce(target, true)
	rt, err := client.Transport(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		text := fmt.Sprintf("part %d", i)
		req, err := http.NewRequest(http.MethodPatch, "https://registry.example/v2/team/app/blobs/uploads/1", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: rt}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || len(bodies) != i+1 || bodies[i] != text {
			t.Fatalf("%s: got %s, the registry has %q", text, resp.Status, bodies)
		}
	}
	if s.requests() != 3 {
		t.Errorf("%d tokens for 5 requests, 2 at a time", s.requests())
	}
}

func TestCredentialsOfTheRealm(t *testing.T) {
	for _, c := range []struct {
		name   string
		server *tokens
		auth   map[string]string
		secret string
	}{
		{"identity token", &tokens{refresh: "the-identity"}, map[string]string{"identitytoken": "the-identity", "auth": "PHRva2VuPjo="}, "the-identity"},
		{"password", &tokens{basic: user + ":" + password}, map[string]string{"auth": encoded()}, encoded()},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := &recorder{next: newFake()}
			opts := serveTokens(t, c.server, rec)
			opts.Keychain = NewKeychain(dockerConfig(t, map[string]any{"auths": map[string]any{"registry.example": c.auth}}), noEnv)
			if err := push(context.Background(), New(opts), repo(t, "registry.example/team/app")); err != nil {
				t.Fatal(err)
			}
			if rec.count() == 0 || rec.saw(c.secret) {
				t.Errorf("%d requests to the registry, with the secret: %v", rec.count(), rec.saw(c.secret))
			}
		})
	}
}
