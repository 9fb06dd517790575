package registry

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Mode is how a registry host is spoken to.
type Mode int

const (
	// VerifiedHTTPS is HTTPS with a certificate that the client trusts.
	VerifiedHTTPS Mode = iota
	// UnverifiedHTTPS is HTTPS with whatever certificate the host shows.
	UnverifiedHTTPS
	// PlainHTTP is HTTP without TLS.
	PlainHTTP
)

func (m Mode) String() string {
	switch m {
	case UnverifiedHTTPS:
		return "HTTPS without verifying its certificate"
	case PlainHTTP:
		return "plain HTTP"
	default:
		return "HTTPS"
	}
}

// Policy is what one source of rules says about a host. One that allows nothing
// demands verified HTTPS.
type Policy struct {
	// Insecure allows unverified HTTPS, and plain HTTP where the host has no HTTPS.
	Insecure bool
	// SkipVerify allows unverified HTTPS, and no plain HTTP.
	SkipVerify bool
	// PlainHTTP demands plain HTTP: the host is not asked whether it has HTTPS.
	PlainHTTP bool
	// Reason names the source, for messages: "insecure_repository".
	Reason string

	// loopback and private allow plain HTTP where the host has no HTTPS, and nothing
	// else; private not even credentials, for the network may not be the user's own.
	loopback, private bool
}

// Rule is one source of rules. It reports false for a host it says nothing about.
// host is as it stands in a reference: a name or an address, with the port if one
// is given there. An error says that the source cannot be understood: nothing is then
// done with the host, since nobody knows what was meant.
type Rule func(ctx context.Context, host string) (Policy, bool, error)

// Always is the rule of whoever speaks about every host, as a command line does.
func Always(p Policy) Rule {
	return func(context.Context, string) (Policy, bool, error) { return p, true, nil }
}

// Insecure is the rule of hosts that a target or the command line declared
// insecure. hosts maps each of them to the reason that is printed.
func Insecure(hosts map[string]string) Rule {
	return func(_ context.Context, host string) (Policy, bool, error) {
		reason, ok := hosts[host]
		return Policy{Insecure: true, Reason: reason}, ok, nil
	}
}

// Local is the rule that always comes last: a name of this machine, or of a private
// network, may be plain HTTP. It is the list that go-containerregistry keeps, and
// rules_docker pushed by.
func Local(host string) (Policy, bool) {
	name := strings.ToLower(hostname(host))
	ip := net.ParseIP(name)
	switch {
	case name == "localhost", strings.HasSuffix(name, ".localhost"), name == "127.0.0.1", name == "::1":
		return Policy{loopback: true, Reason: "its loopback name"}, true
	case ip != nil && ip.To4() != nil && ip.IsPrivate():
		return Policy{private: true, Reason: "its address in a private network"}, true
	case strings.HasSuffix(name, ".local"):
		return Policy{private: true, Reason: "its name in a local network"}, true
	}
	return Policy{}, false
}

// Decision is how a host is spoken to for the rest of the process.
type Decision struct {
	Host   string
	Mode   Mode
	Reason string // the source that spoke about the host; "" if none did
	TLS    TLS    // what certificates are known for the host

	anonymous bool // credentials may not be sent
}

// String is the line that tells the user about a decision.
func (d Decision) String() string {
	if d.Mode == VerifiedHTTPS {
		return fmt.Sprintf("%s: %s", d.Host, d.Mode)
	}
	return fmt.Sprintf("%s: %s, because of %s", d.Host, d.Mode, d.Reason)
}

func (d Decision) scheme() string {
	if d.Mode == PlainHTTP {
		return "http"
	}
	return "https"
}

// hostname is host without its port and without the brackets of an IPv6 address.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// authority is host with the port that scheme implies when it names none, so that
// two spellings of one server compare equal.
func authority(host, scheme string) string {
	if h, p, err := net.SplitHostPort(host); err == nil && p != "" {
		return net.JoinHostPort(strings.ToLower(h), p)
	}
	port := "443"
	if scheme == "http" {
		port = "80"
	}
	return net.JoinHostPort(strings.ToLower(hostname(host)), port)
}

// hasPort tells whether host names its port.
func hasPort(host string) bool {
	_, port, err := net.SplitHostPort(host)
	return err == nil && port != ""
}
