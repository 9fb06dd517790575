package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Options configure a Client. The zero value verifies every certificate, sends no
// credentials and says nothing.
type Options struct {
	// Rules are asked in order; the first that speaks about a host wins. Local
	// follows them.
	Rules []Rule
	// TLS finds the certificates that are known for a host, as it stands in a
	// reference; nil knows none.
	TLS func(host string) (TLS, error)
	// Keychain finds credentials; nil sends none.
	Keychain *Keychain
	// UserAgent goes with every request.
	UserAgent string
	// Notify receives each line that the user has to see: a host that is spoken to
	// over anything but verified HTTPS, and credentials that travel unencrypted.
	Notify func(line string)
	// InFlight bounds the requests that are under way at any time, to whatever server,
	// until their answers are closed; 0 means 8.
	InFlight int

	// Patience is how long a registry may take to answer the first question, GET /v2/,
	// for which none has anything to do; 0 waits as long as it takes.
	Patience time.Duration

	// RootCAs replaces the system's certificate authorities.
	RootCAs *x509.CertPool
	// DialContext replaces Dial.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client gives access to registries. It is safe for concurrent use and meant to
// live as long as the process.
type Client struct {
	opts     Options
	shared   transports // of hosts that no certificates are known for
	secrets  secrets
	inFlight chan struct{}

	mu       sync.Mutex
	hosts    map[string]*host
	access   map[string]*access
	sessions map[string]*session
	told     map[string]bool // lines that are not said twice
}

// host is one registry host. Its fields are written once, under once.
type host struct {
	once  sync.Once
	guard *guard
	err   error
}

// Dial opens connections to registries unless Options say otherwise.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return dialer.DialContext(ctx, network, address)
}

// New returns a client that has not yet spoken to anyone.
func New(opts Options) *Client {
	if opts.Notify == nil {
		opts.Notify = func(string) {}
	}
	if opts.InFlight <= 0 {
		opts.InFlight = 8
	}
	if opts.DialContext == nil {
		opts.DialContext = Dial
	}
	c := &Client{
		opts:     opts,
		inFlight: make(chan struct{}, opts.InFlight),
		hosts:    map[string]*host{},
		access:   map[string]*access{},
		sessions: map[string]*session{},
		told:     map[string]bool{},
	}
	c.shared = c.newTransports(TLS{})
	return c
}

// newTransport makes a transport that speaks HTTP/1.1 only, as docker's and podman's do.
// Over HTTP/2 all uploads share one connection, and with it a window that many servers
// never make larger than a megabyte: over 20 ms that is 50 MB/s for all of them.
func (c *Client) newTransport(config *tls.Config) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: connected,
		DialContext:            c.opts.DialContext,
		TLSClientConfig:        config,
		Protocols:              &protocols,
		MaxIdleConnsPerHost:    c.opts.InFlight,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
	}
}

// Decide tells how host is spoken to, finding it out on the first call.
//
// Errors: nobody listens at host, or ctx is done.
func (c *Client) Decide(ctx context.Context, host string) (Decision, error) {
	h := c.host(ctx, host)
	if h.err != nil {
		return Decision{}, h.err
	}
	return h.guard.decision, nil
}

// BaseURL is where host's endpoints are, by what Decide finds out.
func (c *Client) BaseURL(ctx context.Context, host string) (url.URL, error) {
	d, err := c.Decide(ctx, host)
	if err != nil {
		return url.URL{}, err
	}
	return url.URL{Scheme: d.scheme(), Host: host}, nil
}

func (c *Client) host(ctx context.Context, name string) *host {
	c.mu.Lock()
	h, ok := c.hosts[name]
	if !ok {
		h = &host{}
		c.hosts[name] = h
	}
	c.mu.Unlock()

	h.once.Do(func() {
		decision, err := c.decide(ctx, name)
		if err != nil {
			h.err = err
			return
		}
		if decision.Mode != VerifiedHTTPS {
			c.opts.Notify(decision.String())
		}
		var headers map[string]string
		if c.opts.Keychain != nil {
			headers = c.opts.Keychain.Headers()
		}
		h.guard = newGuard(c, decision, headers)
		if !decision.TLS.empty() {
			h.guard.transports = c.newTransports(decision.TLS)
		}
	})
	return h
}

// notifyOnce tells the user, unless it was told before. Secrets are taken out.
func (c *Client) notifyOnce(line string) {
	line = oneLine(c.secrets.redact(line))
	c.mu.Lock()
	told := c.told[line]
	c.told[line] = true
	c.mu.Unlock()
	if !told {
		c.opts.Notify(line)
	}
}
