package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
)

// ErrDowngrade is a request that would have left HTTPS for plain HTTP.
var ErrDowngrade = errors.New("refusing to go from HTTPS down to plain HTTP")

// ErrLeak is a request that would have taken credentials to a server they do not
// belong to.
var ErrLeak = errors.New("refusing to send credentials to a server they do not belong to")

// errNotTried answers the HTTPS request that go-containerregistry makes before it
// falls back to HTTP, where the probe already knows better.
var errNotTried = errors.New("the host speaks plain HTTP, so HTTPS is not tried")

// ErrUndeclared is a request that would have shown credentials to everyone on the way
// to a host that nobody declared insecure.
var ErrUndeclared = errors.New("refusing to send credentials over plain HTTP")

// guard is the last stop before the wire for everything that is done on behalf of
// one registry host, redirects and token requests included. It holds every request
// to the decision about the host, and credentials to the registry and its token
// realms, whatever the layers above it believe.
type guard struct {
	client     *Client
	decision   Decision
	transports transports
	headers    map[string]string
	inner      innerRealms
	known      atomic.Bool // there are credentials for the registry, so a token is more than an anonymous one
	warned     sync.Once

	mu     sync.Mutex
	realms map[string]bool // authorities that the registry named as token servers
	sent   map[string]bool // Authorization values sent to the registry or a realm
}

func newGuard(c *Client, d Decision, headers map[string]string) *guard {
	for _, value := range headers {
		c.secrets.add(value)
	}
	return &guard{
		client: c, decision: d, transports: c.shared, headers: headers,
		realms: map[string]bool{}, sent: map[string]bool{},
	}
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(asked *http.Request) (*http.Response, error) {
	in := g.inner.real(asked)
	if err := g.allowed(in); err != nil {
		if in.Body != nil {
			_ = in.Body.Close()
		}
		return nil, err
	}
	req := in.Clone(in.Context())
	if err := g.credentials(req); err != nil {
		if in.Body != nil {
			_ = in.Body.Close()
		}
		return nil, err
	}
	resp, err := g.client.limited(g.base(req.URL), req)
	if err != nil {
		return nil, err
	}
	if g.isRegistry(req.URL) {
		g.learnRealms(resp)
	}
	resp.Request = asked
	return resp, nil
}

// allowed checks the scheme of a request against the decision.
func (g *guard) allowed(req *http.Request) error {
	plain := g.decision.Mode == PlainHTTP
	switch req.URL.Scheme {
	case "https":
		if plain && g.isRegistry(req.URL) {
			return errNotTried
		}
		return nil
	case "http":
		if !plain {
			return fmt.Errorf("%w: %s", ErrDowngrade, origin(req.URL))
		}
		return nil
	default:
		return fmt.Errorf("%s: unsupported scheme", origin(req.URL))
	}
}

// credentials takes from req what its server may not see, and adds the headers of
// the docker configuration for the registry itself.
func (g *guard) credentials(req *http.Request) error {
	registry := g.isRegistry(req.URL)
	if registry {
		for key, value := range g.headers {
			if req.Header.Get(key) == "" {
				req.Header.Set(key, value)
			}
		}
	}
	belongs := registry || g.isRealm(req.URL)
	token := carriesToken(req)
	if token && !belongs {
		return fmt.Errorf("%w: %s", ErrLeak, origin(req.URL))
	}
	auth := req.Header.Get("Authorization")
	if auth != "" && !belongs && g.foreign(auth, req.URL) {
		req.Header.Del("Authorization")
		auth = ""
	}
	if auth != "" {
		g.client.secrets.addHeader(auth)
	}
	if belongs && auth != "" {
		g.mu.Lock()
		g.sent[auth] = true
		g.mu.Unlock()
	}
	secret := auth != "" && g.known.Load() || token || registry && len(g.headers) > 0
	if req.URL.Scheme == "http" && secret {
		if g.decision.anonymous {
			return fmt.Errorf("%w: %s", ErrUndeclared, origin(req.URL))
		}
		if !strings.EqualFold(req.URL.Hostname(), hostname(g.decision.Host)) {
			return fmt.Errorf("%w: %s, over plain HTTP", ErrLeak, origin(req.URL))
		}
		g.warned.Do(func() {
			g.client.opts.Notify(fmt.Sprintf("WARNING: %s: credentials travel unencrypted", g.decision.Host))
		})
	}
	return nil
}

// foreign tells whether an Authorization value must not reach a server that is
// neither the registry nor one of its realms. What may is a token that was got for
// that server anonymously, when the registry redirected there.
func (g *guard) foreign(auth string, u *url.URL) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sent[auth] || u.Scheme != "https" || !strings.HasPrefix(auth, "Bearer ")
}

// base is the transport for a server: the one that was decided for the registry's
// host, and verified HTTPS, without the host's client certificates, for everyone else.
func (g *guard) base(u *url.URL) http.RoundTripper {
	switch {
	case !strings.EqualFold(u.Hostname(), hostname(g.decision.Host)):
		return g.transports.elsewhere
	case g.decision.Mode == UnverifiedHTTPS:
		return g.transports.unverified
	}
	return g.transports.verified
}

func (g *guard) isRegistry(u *url.URL) bool {
	scheme := g.decision.scheme()
	return authority(u.Host, u.Scheme) == authority(g.decision.Host, scheme) ||
		// An https request for a plain HTTP registry without a port is meant for it, too.
		u.Host == g.decision.Host
}

func (g *guard) isRealm(u *url.URL) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.realms[u.Scheme+"://"+authority(u.Host, u.Scheme)]
}

var realmParameter = regexp.MustCompile(`(?i)\brealm="([^"]*)"`)

// learnRealms notes the token servers in the registry's challenge (distribution-spec
// refers to RFC 6750 for it).
func (g *guard) learnRealms(resp *http.Response) {
	challenges := resp.Header.Values("WWW-Authenticate")
	for i, challenge := range challenges {
		for _, match := range realmParameter.FindAllStringSubmatch(challenge, -1) {
			u, err := url.Parse(match[1])
			if err != nil || u.Host == "" {
				continue // the realm of a Basic challenge is a mere name
			}
			g.mu.Lock()
			g.realms[u.Scheme+"://"+authority(u.Host, u.Scheme)] = true
			g.mu.Unlock()
			if innerAllowed(g.decision, u) {
				challenges[i] = g.inner.name(challenge, match[1])
			}
		}
	}
}

// carriesToken recognises the OAuth2 exchange, whose body holds a refresh token.
func carriesToken(req *http.Request) bool {
	return req.Method == http.MethodPost &&
		strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

// asksForToken recognises the requests of token servers' protocol (distribution-spec
// refers to Docker's "Token Authentication Specification" for it).
func (g *guard) asksForToken(req *http.Request) bool {
	u := g.inner.real(req).URL
	return carriesToken(req) || g.isRealm(u) && u.Query().Has("service")
}

// origin is the part of a URL that holds no secret.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
