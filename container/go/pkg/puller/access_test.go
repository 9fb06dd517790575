package puller

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fake "github.com/google/go-containerregistry/pkg/registry"
)

// pair makes a certificate for 127.0.0.2, of servers and of clients, and returns it and
// its key in PEM form.
func pair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.ParseIP("127.0.0.2")},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// serveTLS starts an empty registry that wants the very certificate that it shows from
// its clients, too.
func serveTLS(t *testing.T, certificate, key []byte) (host string) {
	t.Helper()
	own, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(certificate)
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{
		Listener: l,
		Config:   &http.Server{Handler: fake.New(fake.Logger(log.New(io.Discard, "", 0))), ErrorLog: log.New(io.Discard, "", 0)},
		TLS:      &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert},
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return l.Addr().String()
}

func TestAccessFlags(t *testing.T) {
	certificate, key := pair(t)
	guarded := serveTLS(t, certificate, key)
	plain, digest := serve(t, false)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca, secret := file("ca.pem", certificate), file("key.pem", key)
	both := file("both.pem", append(append([]byte{}, certificate...), key...))
	for _, c := range []struct {
		name, host string
		args       []string
		code       int
		want       string // in what is printed
	}{
		{"unknown authority", guarded, nil, 1, "pass it with -cacert"},
		{"authority, and no certificate of its own", guarded, []string{"--cacert", ca}, 1, "-cert FILE -key FILE"},
		{"authority and certificate", guarded, []string{"--cacert", ca, "--cert", ca, "--key", secret}, 1, "there is no repository"},
		{"certificate and key in one file", guarded, []string{"-cacert=" + ca, "-cert=" + both}, 1, "there is no repository"},
		{"certificate, and any authority", guarded, []string{"-tls-verify=false", "-cert=" + both}, 1, "there is no repository"},
		{"key alone", guarded, []string{"-key", secret}, 1, "-key needs -cert"},
		{"no such authority", guarded, []string{"-cacert", dir + "/none"}, 1, "-cacert: "},
		{"plain HTTP", plain, []string{"-plain-http"}, 0, "plain HTTP, because of --plain-http"},
		{"verified only", plain, []string{"-tls-verify"}, 1, "speaks plain HTTP"},
		{"contradiction", plain, []string{"-tls-verify", "-insecure-repository"}, 1, "contradict each other"},
		{"explain", plain, []string{"-explain", "-insecure-repository", "-target", "base"}, 0,
			"base pulls " + plain + "/team/app:v1\n  from " + plain + "/team/app:v1\n  " + plain + "/team/app: no credentials"},
		{"explain the way", plain, []string{"-explain", "-plain-http"}, 0, plain + "\n  spoken to over plain HTTP, because of --plain-http\n"},
		{"explain what cannot be told", "127.0.0.2:1", []string{"-explain", "-insecure-repository"}, 0, "127.0.0.2:1\n  how it is spoken to cannot be told"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "image")
			args := append([]string{"-name", c.host + "/team/app:v1"}, c.args...)
			explained := strings.HasPrefix(c.name, "explain")
			if !explained {
				args = append(args, "-directory", out)
			}
			code, stdout, stderr := start(t, nil, args...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("exit code %d, want %d and %q in\n%s%s", code, c.code, c.want, stdout, stderr)
			}
			if code == 0 && !explained && stdout != digest+"\n" {
				t.Errorf("digest %q", stdout)
			}
		})
	}
}
