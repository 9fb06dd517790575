package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestLocal(t *testing.T) {
	cases := map[string]bool{
		"localhost": true, "localhost:5000": true, "LOCALHOST:5000": true, "registry.localhost:5000": true,
		"127.0.0.1": true, "127.0.0.1:5000": true, "[::1]:5000": true, "[::1]": true, "::1": true,
		"10.0.0.1:5000": true, "172.16.0.1": true, "192.168.1.1:80": true, "registry.local": true, "registry.local:5000": true,
		"127.0.0.2:5000": false, "172.32.0.1:5000": false, "11.0.0.1": false, "[fd00::1]:5000": false, "local": false,
		"localhost.example.com": false, "notlocalhost:5000": false, "127.0.0.1.example.com": false,
	}
	for host, want := range cases {
		t.Run(host, func(t *testing.T) {
			if _, got := Local(host); got != want {
				t.Errorf("Local(%q) = %v", host, got)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	good, roots := certificate(t, tomorrow(), "127.0.0.2", "127.0.0.1", "registry.example")
	other, _ := certificate(t, tomorrow(), "127.0.0.2", "127.0.0.1")
	wrong, wrongPool := certificate(t, tomorrow(), "elsewhere.example")
	plain := serve(t, "127.0.0.2", newFake(), nil)
	trusted := serve(t, "127.0.0.2", newFake(), good)
	untrusted := serve(t, "127.0.0.2", newFake(), other)
	wrongName := serve(t, "127.0.0.2", newFake(), wrong)
	loopback := serve(t, "127.0.0.1", newFake(), nil)
	loopbackUntrusted := serve(t, "127.0.0.1", newFake(), other)
	closed := closedPort

	// A server that ends the connection at once, as some plain HTTP servers do.
	rude, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rude.Close() })
	go func() {
		for {
			conn, err := rude.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()

	cases := []struct {
		name, host string
		insecure   bool
		dial       map[string]string
		want       Mode
		line       string
		wantErr    bool
		dials      int32 // to find out
	}{
		{name: "not declared", host: plain, want: VerifiedHTTPS},
		{name: "declared, plain", host: plain, insecure: true, want: PlainHTTP, line: "plain HTTP, because of insecure_repository", dials: 1},
		{name: "declared, trusted", host: trusted, insecure: true, want: VerifiedHTTPS, dials: 1},
		{name: "declared, self-signed", host: untrusted, insecure: true, want: UnverifiedHTTPS,
			line: "HTTPS without verifying its certificate, because of insecure_repository", dials: 1},
		{name: "declared, wrong name", host: wrongName, insecure: true, want: UnverifiedHTTPS, line: "HTTPS without", dials: 1},
		{name: "declared, rude", host: rude.Addr().String(), insecure: true, want: PlainHTTP, line: "plain HTTP", dials: 1},
		{name: "declared, closed", host: closed, insecure: true, wantErr: true, dials: 1},
		{name: "loopback, plain", host: loopback, want: PlainHTTP, line: "plain HTTP, because of its loopback name", dials: 1},
		{name: "loopback, self-signed", host: loopbackUntrusted, want: VerifiedHTTPS, dials: 1},
		{name: "without a port, closed 443", host: "registry.example", insecure: true, want: PlainHTTP, line: "registry.example: plain HTTP",
			dial: map[string]string{"registry.example:443": closed}, dials: 1},
		{name: "without a port, trusted", host: "registry.example", insecure: true, want: VerifiedHTTPS,
			dial: map[string]string{"registry.example:443": trusted}, dials: 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pool := roots
			if c.host == wrongName {
				pool = wrongPool
			}
			var said lines
			var dials atomic.Int32
			dial := dialTo(c.dial)
			client := New(Options{
				Rules: rules(c.host, c.insecure), Notify: said.add, RootCAs: pool,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					dials.Add(1)
					return dial(ctx, network, address)
				},
			})
			var got Decision
			var err error
			for range 3 { // the first answer stays
				got, err = client.Decide(context.Background(), c.host)
			}
			if (err != nil) != c.wantErr {
				t.Fatalf("error %v, want one: %v", err, c.wantErr)
			}
			if err == nil && got.Mode != c.want {
				t.Errorf("got %v, want %v", got.Mode, c.want)
			}
			if dials.Load() != c.dials {
				t.Errorf("%d dials, want %d", dials.Load(), c.dials)
			}
			if c.line == "" && said.all() != "" || !strings.Contains(said.all(), c.line) || strings.Contains(said.all(), "\n") {
				t.Errorf("said %q, want one line with %q", said.all(), c.line)
			}
		})
	}
}

// A name that nobody has is no registry on plain HTTP.
func TestDecideUnknownHost(t *testing.T) {
	const host = "no-such-host.invalid"
	var said lines
	client := New(Options{Rules: rules(host, true), Notify: said.add, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}})
	_, err := client.Decide(t.Context(), host)
	if err = client.Explain(repo(t, host+"/team/app"), err); !errors.Is(err, ErrUnknownHost) || said.all() != "" {
		t.Errorf("got %v, said %q", err, said.all())
	}
}

// TestServed checks that a decision is what requests then do.
func TestServed(t *testing.T) {
	self, _ := certificate(t, tomorrow(), "127.0.0.2")
	img, err := random.Image(64, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		host string
	}{
		{"plain", serve(t, "127.0.0.2", newFake(), nil)},
		{"self-signed", serve(t, "127.0.0.2", newFake(), self)},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := repo(t, c.host+"/team/app")
			client := New(Options{Rules: rules(c.host, true)})
			opts, err := options(context.Background(), client, target, true)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.Write(target.Tag("v1"), img, opts...); err != nil {
				t.Fatal(err)
			}
			opts, err = options(context.Background(), client, target, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := remote.Image(target.Tag("v1"), opts...); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	self, _ := certificate(t, tomorrow(), "127.0.0.2")
	wrong, wrongPool := certificate(t, tomorrow(), "elsewhere.example")
	expired, expiredPool := certificate(t, yesterday(), "127.0.0.2")
	status := func(code int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, code) })
	}
	silence := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	plain := []Rule{Always(Policy{PlainHTTP: true})}
	cases := []struct {
		name string
		host string
		opts Options
		want error
		code int
	}{
		{name: "plain", host: serve(t, "127.0.0.2", newFake(), nil), want: ErrPlainHTTP},
		{name: "self-signed", host: serve(t, "127.0.0.2", newFake(), self), want: ErrUnknownAuthority},
		{name: "wrong name", host: serve(t, "127.0.0.2", newFake(), wrong), want: ErrCertificate, opts: Options{RootCAs: wrongPool}},
		{name: "expired", host: serve(t, "127.0.0.2", newFake(), expired), want: ErrCertificate, opts: Options{RootCAs: expiredPool}},
		{name: "closed", host: closedPort, want: ErrRefused},
		{name: "no such host", host: "no-such-host.invalid:5000", want: ErrUnknownHost, opts: Options{
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "no-such-host.invalid", IsNotFound: true}}
			}}},
		{name: "401", host: serve(t, "127.0.0.2", basic("u", "p", newFake()), nil), want: ErrNoCredentials, code: 401},
		{name: "403", host: serve(t, "127.0.0.2", status(403, `{"errors":[{"code":"DENIED"}]}`), nil), want: ErrNoCredentials, code: 403},
		{name: "404 name", host: serve(t, "127.0.0.2", status(404, `{"errors":[{"code":"NAME_UNKNOWN"}]}`), nil), want: ErrNameUnknown, code: 404},
		{name: "400 name", host: serve(t, "127.0.0.2", status(400, `{"errors":[{"code":"NAME_INVALID"}]}`), nil), want: ErrNameInvalid, code: 400},
		{name: "413", host: serve(t, "127.0.0.2", status(413, ""), nil), want: ErrTooLarge, code: 413},
		{name: "404 without an endpoint", host: serve(t, "127.0.0.2", status(404, "<html>"), nil), want: ErrNotRegistry, code: 404},
		{name: "204", host: serve(t, "127.0.0.2", status(204, ""), nil), want: ErrNotRegistry, code: 204},
		{name: "another protocol", host: talk(t, "SSH-2.0-x\r\n"), want: ErrNotRegistry, opts: Options{Rules: plain}},
		{name: "silent", host: serve(t, "127.0.0.2", silence, nil), want: ErrTimeout, opts: Options{Rules: plain, Patience: time.Millisecond}},
		{name: "another protocol instead of TLS", host: talk(t, "SSH-2.0-x\r\n"), want: ErrNotRegistry},
		{name: "429", host: serve(t, "127.0.0.2", status(429, ""), nil), want: ErrTooManyRequests, code: 429},
		{name: "500", host: serve(t, "127.0.0.2", status(500, "<html>\n\n"+strings.Repeat("sorry ", 1000)), nil), want: ErrServer, code: 500},
		{name: "503", host: serve(t, "127.0.0.2", status(503, ""), nil), want: ErrServer, code: 503},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.code != 0 {
				c.opts.Rules = rules(c.host, true)
			}
			client := New(c.opts)
			target := repo(t, c.host+"/team/app")
			err := client.Explain(target, head(client, target))
			if !errors.Is(err, c.want) {
				t.Fatalf("%v is not %v", err, c.want)
			}
			var typed *Error
			if !errors.As(err, &typed) || typed.Status != c.code || typed.Host != c.host {
				t.Errorf("got %+v", typed)
			}
			if len(err.Error()) > 800 || strings.Contains(err.Error(), "\n") {
				t.Errorf("not one readable line: %q", err)
			}
		})
	}
	t.Run("proxy", func(t *testing.T) {
		err := &url.Error{Op: "Get", URL: "https://r.example/v2/", Err: &net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}}
		if got := New(Options{}).Explain(repo(t, "r.example/b"), err); !errors.Is(got, ErrProxy) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("nil", func(t *testing.T) {
		if err := New(Options{}).Explain(repo(t, "a.example/b"), nil); err != nil {
			t.Error(err)
		}
	})
}

// talk starts a server that answers everyone alike.
func talk(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1)) // before anything is asked, nobody listens
			_, _ = c.Write([]byte(answer))
			_, _ = io.Copy(io.Discard, c) // until the client hangs up: a close before that may take the answer back
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// head asks for a manifest and treats its absence as success.
func head(client *Client, target name.Repository) error {
	opts, err := options(context.Background(), client, target, true)
	if err != nil {
		return err
	}
	_, err = remote.Head(target.Tag("latest"), opts...)
	return err
}

func rules(host string, insecure bool) []Rule {
	if !insecure {
		return nil
	}
	return []Rule{Insecure(map[string]string{host: "insecure_repository"})}
}

// closedPort is one that nobody listens at, and that the system gives to nobody meanwhile.
const closedPort = "127.0.0.2:1"
