package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// access is what is going to be done with a repository.
type access struct {
	repository name.Repository
	push       bool

	once sync.Once
	auth authn.Authenticator
	key  string // names those who share a session: one host, one login
	err  error

	named atomic.Bool // there are credentials
}

func (a *access) scope() string {
	if a.push {
		return a.repository.Scope(transport.PushScope)
	}
	return a.repository.Scope(transport.PullScope)
}

// session is an authenticated transport for all repositories of one host that have
// the same login: one handshake, one token.
type session struct {
	once      sync.Once
	transport http.RoundTripper
	err       error
}

// Announce tells that a repository is going to be pulled from or, if push is set,
// pushed to. What is announced before the first request shares a handshake and,
// where the registry allows it, a token.
func (c *Client) Announce(repo name.Repository, push bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.access[repo.Name()]
	if !ok {
		a = &access{repository: repo}
		c.access[repo.Name()] = a
	}
	a.push = a.push || push
}

// Transport returns the authenticated transport for requests about a repository that
// was announced. It repeats nothing; a handshake that failed in passing is made anew by
// the next call.
//
// Errors are those of Explain.
func (c *Client) Transport(ctx context.Context, repo name.Repository) (http.RoundTripper, error) {
	h := c.host(ctx, repo.RegistryStr())
	if h.err != nil {
		return nil, h.err
	}
	a := c.login(ctx, repo, h)
	if a.err != nil {
		return nil, a.err
	}
	s := c.session(ctx, a, h, a.key, func() []string { return c.scopes(ctx, a, h) })
	var answer *transport.Error
	if errors.As(s.err, &answer) && answer.StatusCode/100 == 4 && answer.StatusCode != http.StatusTooManyRequests {
		// A token server that does not give one token for everything, or a repository
		// that is nobody's business: the others shall not suffer.
		s = c.session(ctx, a, h, a.key+" "+repo.Name(), func() []string { return []string{a.scope()} })
	}
	return s.transport, s.err
}

// login finds the credentials for a repository.
func (c *Client) login(ctx context.Context, repo name.Repository, h *host) *access {
	c.mu.Lock()
	a, ok := c.access[repo.Name()]
	c.mu.Unlock()
	if !ok {
		return &access{err: fmt.Errorf("%s was not announced", repo.Name())}
	}
	a.once.Do(func() {
		a.auth = authn.Anonymous
		if c.opts.Keychain != nil {
			var err error
			a.auth, err = c.opts.Keychain.Resolve(repo)
			for _, line := range c.opts.Keychain.failures() {
				c.notifyOnce(line)
			}
			if err != nil {
				a.err = fmt.Errorf("looking for credentials of %s: %w", repo.RegistryStr(), err)
				return
			}
		}
		if a.auth != authn.Anonymous {
			a.named.Store(true)
			h.guard.known.Store(true)
		}
		if err := c.secrets.addAuth(ctx, a.auth); err != nil {
			a.err = fmt.Errorf("reading the credentials of %s: %w", repo.RegistryStr(), err)
			return
		}
		config, err := authn.Authorization(ctx, a.auth)
		if err != nil {
			a.err = fmt.Errorf("reading the credentials of %s: %w", repo.RegistryStr(), err)
			return
		}
		a.key = fmt.Sprintf("%s %q", repo.RegistryStr(), *config)
	})
	return a
}

// scopes are those of everything announced that shares a's session.
func (c *Client) scopes(ctx context.Context, a *access, h *host) []string {
	c.mu.Lock()
	all := make([]*access, 0, len(c.access))
	for _, other := range c.access {
		all = append(all, other)
	}
	c.mu.Unlock()
	scopes := make([]string, 0, len(all))
	for _, other := range all {
		if other.repository.RegistryStr() != a.repository.RegistryStr() {
			continue
		}
		if o := c.login(ctx, other.repository, h); o.err == nil && o.key == a.key {
			scopes = append(scopes, o.scope())
		}
	}
	sort.Strings(scopes)
	return scopes
}

// session returns the session that key stands for. It is made on the first call, and only
// then are its scopes asked for: there may be thousands.
func (c *Client) session(ctx context.Context, a *access, h *host, key string, scopes func() []string) *session {
	c.mu.Lock()
	s, ok := c.sessions[key]
	if !ok {
		s = &session{}
		c.sessions[key] = s
	}
	c.mu.Unlock()
	s.once.Do(func() {
		s.transport, s.err = c.handshake(ctx, a, h, scopes())
		if distribution.IsPassing(s.err) || ctx.Err() != nil {
			c.mu.Lock()
			delete(c.sessions, key) // who waits shares the failure, who comes next tries again
			c.mu.Unlock()
		}
	})
	return s
}

// handshake asks the registry how it wants to be talked to, and gets a token where
// it wants one.
func (c *Client) handshake(ctx context.Context, a *access, h *host, scopes []string) (http.RoundTripper, error) {
	// go-containerregistry only falls back to HTTP for a name it is told is insecure.
	registry := a.repository.Registry
	if h.guard.decision.Mode == PlainHTTP {
		insecure, err := name.NewRegistry(a.repository.RegistryStr(), name.Insecure)
		if err != nil {
			return nil, err
		}
		registry = insecure
	}
	return transport.NewWithContext(ctx, registry, a.auth, transport.NewUserAgent(handshakes{h.guard}, c.opts.UserAgent), scopes)
}

// maxHandshake bounds, in bytes, the answers of a registry to /v2/ and of a token server.
const maxHandshake = 1 << 20

// handshakes is the way for the requests that go-containerregistry makes of its own:
// their answers have an end, and one that says when to come back becomes an error that
// still says so when it has gone through that library.
type handshakes struct{ guard *guard }

// RoundTrip implements http.RoundTripper.
func (t handshakes) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.guard.RoundTrip(req)
	if err != nil || req.URL.Path != "/v2/" && !t.guard.asksForToken(req) {
		return resp, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxHandshake), resp.Body}
	busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
	if !busy || resp.Header.Get("Retry-After") == "" {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, distribution.Delayed(transport.CheckError(resp), resp.Header)
}

// anonymous tells whether the requests about repo went without credentials.
func (c *Client) anonymous(repo name.Repository) bool {
	c.mu.Lock()
	a, ok := c.access[repo.Name()]
	c.mu.Unlock()
	return !ok || !a.named.Load()
}
