package registry

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// TLS is what is known about a host's certificates. It goes with whatever is decided
// about the host, and never makes it an insecure one.
type TLS struct {
	// Authorities are trusted beside the system's.
	Authorities []*x509.Certificate
	// Certificates are what the client may show when the host asks who it is (mTLS).
	Certificates []tls.Certificate
	// Files are where they come from, for messages.
	Files []string
}

func (t TLS) empty() bool { return len(t.Authorities) == 0 && len(t.Certificates) == 0 }

// And returns what t and other know together, t's first.
func (t TLS) And(other TLS) TLS {
	return TLS{
		Authorities:  append(t.Authorities[:len(t.Authorities):len(t.Authorities)], other.Authorities...),
		Certificates: append(t.Certificates[:len(t.Certificates):len(t.Certificates)], other.Certificates...),
		Files:        append(t.Files[:len(t.Files):len(t.Files)], other.Files...),
	}
}

// transports are the ways to servers on behalf of one registry host.
type transports struct {
	verified, unverified *http.Transport // to the host itself
	// elsewhere is to its token servers and to where it redirects. They may be behind
	// the same authority, but a client certificate is for the host alone.
	elsewhere *http.Transport
}

func (c *Client) newTransports(known TLS) transports {
	roots := c.roots(known)
	elsewhere := c.newTransport(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots})
	verified := elsewhere
	if len(known.Certificates) > 0 {
		verified = c.newTransport(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: known.Certificates})
	}
	return transports{
		verified: verified,
		unverified: c.newTransport(&tls.Config{
			MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, Certificates: known.Certificates,
		}),
		elsewhere: elsewhere,
	}
}

// roots are the authorities to trust: the client's or the system's, and those known
// for a host. nil means the system's.
func (c *Client) roots(known TLS) *x509.CertPool {
	if len(known.Authorities) == 0 {
		return c.opts.RootCAs
	}
	var pool *x509.CertPool
	if c.opts.RootCAs != nil {
		pool = c.opts.RootCAs.Clone()
	} else if system, err := x509.SystemCertPool(); err == nil {
		pool = system
	} else {
		pool = x509.NewCertPool() // a machine without authorities still has the host's own
	}
	for _, authority := range known.Authorities {
		pool.AddCert(authority)
	}
	return pool
}
