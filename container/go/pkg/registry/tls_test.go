package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestClientCertificateIsForItsHost checks that a server that the registry redirects to
// is trusted by the registry's authority, and does not get to see who the client is.
func TestClientCertificateIsForItsHost(t *testing.T) {
	cert, pool := certificate(t, tomorrow(), "registry.example", "storage.example")
	own, clients := certificate(t, tomorrow(), "client")
	authority, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	start := func(ip string, auth tls.ClientAuthType, answer http.HandlerFunc) string {
		l, err := net.Listen("tcp", ip+":0")
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: l, Config: &http.Server{ErrorLog: silent(), Handler: http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				shown[r.Host] += 1 + 100*len(r.TLS.PeerCertificates)
				answer(w, r)
			})}}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: auth, ClientCAs: clients}
		s.StartTLS()
		t.Cleanup(s.Close)
		return l.Addr().String()
	}
	dial := dialTo(map[string]string{
		"registry.example:443": start("127.0.0.2", tls.RequireAnyClientCert, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				http.Redirect(w, r, "https://storage.example/blob", http.StatusTemporaryRedirect)
			}
		}),
		"storage.example:443": start("127.0.0.3", tls.RequestClientCert, func(http.ResponseWriter, *http.Request) {}),
	})
	client := New(Options{RootCAs: x509.NewCertPool(), DialContext: dial, TLS: func(string) (TLS, error) {
		return TLS{Authorities: []*x509.Certificate{authority}, Certificates: []tls.Certificate{*own}}, nil
	}})
	target := repo(t, "registry.example/team/app")
	client.Announce(target, false)
	rt, err := client.Transport(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Get("https://registry.example/v2/team/app/blobs/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if shown["registry.example"] != 202 || shown["storage.example"] != 1 {
		t.Errorf("requests, plus 100 for each with a certificate: %v", shown)
	}
	if pool.Equal(client.roots(TLS{})) {
		t.Error("an authority of one host is trusted for all")
	}
}

// TestSkipVerify checks that a rule that excuses a bad certificate excuses no plain HTTP.
func TestSkipVerify(t *testing.T) {
	self, pool := certificate(t, tomorrow(), "127.0.0.2")
	for _, c := range []struct {
		name, host string
		roots      *x509.CertPool
		policy     Policy
		want       Mode
	}{
		{"self-signed", serve(t, "127.0.0.2", newFake(), self), nil, Policy{SkipVerify: true}, UnverifiedHTTPS},
		{"trusted", serve(t, "127.0.0.2", newFake(), self), pool, Policy{SkipVerify: true}, VerifiedHTTPS},
		{"plain", serve(t, "127.0.0.2", newFake(), nil), nil, Policy{SkipVerify: true}, UnverifiedHTTPS},
		{"plain HTTP demanded of TLS", serve(t, "127.0.0.2", newFake(), self), nil, Policy{PlainHTTP: true}, PlainHTTP},
		{"nothing allowed on loopback", serve(t, "127.0.0.1", newFake(), nil), nil, Policy{}, VerifiedHTTPS},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := New(Options{Rules: []Rule{Always(c.policy)}, RootCAs: c.roots})
			if got, err := client.Decide(context.Background(), c.host); err != nil || got.Mode != c.want {
				t.Errorf("got %v, %v", got.Mode, err)
			}
		})
	}
}

// Each upload gets a connection to itself, from a server that would put all on one, too.
func TestHTTP1(t *testing.T) {
	var protocols sync.Map
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocols.Store(r.Proto, true) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	for _, policy := range []Policy{{SkipVerify: true, Reason: "test"}, {Reason: "test"}} {
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		client := New(Options{Rules: []Rule{Always(policy)}, RootCAs: roots})
		if err := head(client, repo(t, s.Listener.Addr().String()+"/team/app")); err == nil {
			t.Error("there is a manifest")
		}
	}
	protocols.Range(func(protocol, _ any) bool {
		if protocol != "HTTP/1.1" {
			t.Errorf("the server was asked by %s", protocol)
		}
		return true
	})
	if _, asked := protocols.Load("HTTP/1.1"); !asked {
		t.Error("the server was not asked")
	}
}
