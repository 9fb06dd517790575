package registry

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
)

// innerRealms lets token servers be at addresses of private networks, which
// go-containerregistry refuses (since 0.21, lest a registry sends clients to
// services that are none of its business) unless they have the registry's very port.
// It shows them to that library under names, and knows what the names stand for.
type innerRealms struct {
	mu    sync.Mutex
	hosts map[string]string // by the host that stands for it
}

// name changes the realm of a challenge that the library would refuse into one that
// it takes. Whether the registry may name such a realm has been asked before.
func (i *innerRealms) name(challenge, realm string) string {
	u, err := url.Parse(realm)
	if err != nil || !inner(u.Hostname()) {
		return challenge
	}
	// The final dot makes a name of an address, and one that can be read.
	host := strings.ReplaceAll(u.Hostname(), ":", "-") + "."
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	i.mu.Lock()
	if i.hosts == nil {
		i.hosts = map[string]string{}
	}
	i.hosts[host] = u.Host
	i.mu.Unlock()
	u.Host = host
	return strings.Replace(challenge, `"`+realm+`"`, `"`+u.String()+`"`, 1)
}

// real is req with the address that its host stands for.
func (i *innerRealms) real(req *http.Request) *http.Request {
	i.mu.Lock()
	host, ok := i.hosts[req.URL.Host]
	i.mu.Unlock()
	if !ok {
		return req
	}
	changed := req.Clone(req.Context())
	changed.URL.Host, changed.Host = host, ""
	return changed
}

// innerAllowed tells whether a registry may have its token server at an address of a
// private network: one on the same machine, one that is in such a network itself, or
// one that the user vouches for.
func innerAllowed(d Decision, realm *url.URL) bool {
	own := hostname(d.Host)
	return strings.EqualFold(own, realm.Hostname()) || inner(own) || d.Mode != VerifiedHTTPS
}

// inner tells whether host is an address on this machine or in a private network.
// Link-local addresses, where clouds keep their secrets, are not.
func inner(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	return addr.IsLoopback() || addr.IsPrivate()
}
