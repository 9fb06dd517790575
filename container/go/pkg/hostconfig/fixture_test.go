package hostconfig

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// machine is a machine of its own for a test.
type machine struct {
	t          *testing.T
	root, user string
	env        map[string]string
	names      map[string]string // addresses by host
	lookups    int
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, root: t.TempDir(), user: t.TempDir(), names: map[string]string{}}
	m.env = map[string]string{registry.RootVariable: m.root, "HOME": m.user}
	return m
}

// etc writes a file of the system and returns its path.
func (m *machine) etc(path, content string) string {
	return m.write(filepath.Join(m.root, "etc", path), content)
}

// home writes a file of the user and returns its path.
func (m *machine) home(path, content string) string {
	return m.write(filepath.Join(m.user, path), content)
}

func (m *machine) write(path, content string) string {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func (m *machine) config() *Config {
	return New(Env{
		Getenv: func(key string) string { return m.env[key] },
		LookupIP: func(_ context.Context, host string) ([]net.IP, error) {
			m.lookups++
			if ip, ok := m.names[host]; ok {
				return []net.IP{net.ParseIP(ip)}, nil
			}
			return nil, errors.New("no such host")
		},
	})
}

// ask is the answer of the first rule that speaks about a host.
func ask(rules []registry.Rule, host string) (registry.Policy, error) {
	for _, rule := range rules {
		if p, ok, err := rule(context.Background(), host); ok || err != nil {
			return p, err
		}
	}
	return registry.Policy{}, nil
}

func repositories(t *testing.T, texts ...string) []name.Repository {
	t.Helper()
	var repos []name.Repository
	for _, text := range texts {
		repo, err := name.NewRepository(text)
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, repo)
	}
	return repos
}

// pair makes a certificate and its key, in PEM form.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
