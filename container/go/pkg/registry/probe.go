package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// probeTimeout bounds the one extra dial that finds out what a host speaks.
const probeTimeout = 15 * time.Second

// decide turns the policy for host into a decision. Only a host that some rule
// allows to be less than verified HTTPS is asked what it speaks.
func (c *Client) decide(ctx context.Context, host string) (Decision, error) {
	policy, err := c.Policy(ctx, host)
	if err != nil {
		return Decision{}, err
	}
	decision := Decision{Host: host, Reason: policy.Reason}
	if c.opts.TLS != nil {
		if decision.TLS, err = c.opts.TLS(host); err != nil {
			return Decision{}, err
		}
	}
	lax := policy.Insecure || policy.SkipVerify
	switch {
	case policy.PlainHTTP:
		decision.Mode = PlainHTTP
		return decision, nil
	case !lax && !policy.loopback && !policy.private:
		return decision, nil
	}
	if decision.Mode, err = c.probe(ctx, host, decision.TLS); err != nil {
		return Decision{}, err
	}
	switch {
	case decision.Mode == UnverifiedHTTPS && !lax:
		decision.Mode = VerifiedHTTPS // and let the handshake fail: the name excuses HTTP, not a bad certificate
	case decision.Mode == PlainHTTP && policy.SkipVerify && !policy.Insecure:
		decision.Mode = UnverifiedHTTPS // likewise: the rule excuses a bad certificate, not HTTP
	}
	decision.anonymous = decision.Mode == PlainHTTP && policy.private && !policy.Insecure
	return decision, nil
}

// Policy is what the first rule that speaks about host says. It asks nothing of host.
//
// Errors are the rule's: its source cannot be understood.
func (c *Client) Policy(ctx context.Context, host string) (Policy, error) {
	for _, rule := range c.opts.Rules {
		if p, ok, err := rule(ctx, host); ok || err != nil {
			return p, err
		}
	}
	p, _ := Local(host)
	return p, nil
}

// probe dials host once. Whoever completes a TLS handshake, or even only answers
// in TLS, speaks HTTPS; a certificate failure is recorded instead of ending it.
func (c *Client) probe(ctx context.Context, host string, known TLS) (Mode, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()

	shown, trusted := false, false
	roots := c.roots(known)
	transport := c.newTransport(&tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    roots,
		// What a server wants of its clients it also wants of this one.
		Certificates: known.Certificates,
		// The verification is VerifyConnection's, which lets the handshake go on.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if isFor(state, host) { // and not an HTTPS proxy on the way
				shown, trusted = true, verify(state, host, roots) == nil
			}
			return nil
		},
	})
	transport.DisableKeepAlives = true
	transport.ForceAttemptHTTP2 = false
	defer transport.CloseIdleConnections()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/v2/", nil)
	if err != nil {
		return 0, fmt.Errorf("asking %s what it speaks: %w", host, err)
	}
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	switch {
	case trusted:
		return VerifiedHTTPS, nil
	case shown || isAlert(err):
		return UnverifiedHTTPS, nil
	case errors.Is(err, context.Canceled):
		return 0, err
	case isDial(err) && hasPort(host):
		// Nobody listens there, so HTTP would fail just the same.
		return 0, err
	case isProxyDown(err):
		// Which says nothing about the host.
		return 0, err
	default:
		return PlainHTTP, nil
	}
}

// verify does what crypto/tls does when it is not told to skip it.
func verify(state tls.ConnectionState, host string, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("no certificate")
	}
	opts := x509.VerifyOptions{
		Roots:         roots,
		DNSName:       hostname(host),
		Intermediates: x509.NewCertPool(),
	}
	for _, cert := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(opts)
	return err
}

// isFor tells whether a handshake was with host, going by the name that was asked
// for. No name is asked for when host is an address.
func isFor(state tls.ConnectionState, host string) bool {
	name := hostname(host)
	if net.ParseIP(name) != nil {
		name = ""
	}
	return strings.EqualFold(state.ServerName, strings.TrimSuffix(name, "."))
}

// isAlert tells whether the peer ended the handshake in TLS's own terms.
func isAlert(err error) bool {
	var alert tls.AlertError
	if errors.As(err, &alert) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// isDial tells whether no connection to the host came about at all.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isProxyDown tells whether the proxy in the way was not reached.
func isProxyDown(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "proxyconnect"
}
