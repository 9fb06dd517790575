package registries_test

import (
	"context"
	"encoding/base64"
	"path/filepath"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// server is a registry that was started.
type server interface {
	Addr() string
	Close() error
}

// kind is a registry that there is to push to.
type kind struct {
	name  string
	start func(dir string, opts ...registries.Option) (server, error)
	keeps bool // what it got of an upload that broke off
	auth  bool // it can ask who its clients are
	own   bool // it runs in a process of its own
	// mutual: it can ask its clients for certificates
	mutual bool
	// mounts: a blob of one repository can be had in another without sending it
	mounts bool
	// worthAsking is the size from which on a layer is not sent again, in bytes. Where
	// blobs are not mounted, the engine asks first only for layers from 1 MiB on.
	worthAsking int
}

func distribution(program *string) func(string, ...registries.Option) (server, error) {
	return func(dir string, opts ...registries.Option) (server, error) {
		return registries.StartDistribution(context.Background(), dir, append(opts, registries.Program(*program))...)
	}
}

func kinds() []kind {
	none := "" // the one on PATH
	return []kind{
		{name: "docker-registry 2.8", start: distribution(&none), auth: true, mutual: true, own: true, mounts: true, worthAsking: 150 * kib},
		{name: "distribution 3.1", start: distribution(&tools.registry), keeps: true, auth: true, mutual: true, own: true, mounts: true, worthAsking: 150 * kib},
		{name: "olareg 0.1", keeps: true, own: true, mounts: true, worthAsking: 150 * kib, start: func(dir string, opts ...registries.Option) (server, error) {
			return registries.StartOlareg(context.Background(), dir, append(opts, registries.Program(tools.olareg))...)
		}},
		{name: "go-containerregistry", mutual: true, worthAsking: mib, start: func(_ string, opts ...registries.Option) (server, error) {
			return registries.Memory(opts...)
		}},
	}
}

// site is one registry, how it is spoken to, and the user who does.
type site struct {
	wire       *registries.Wire // before the registry; the pusher goes this way
	server     server
	data       string              // directory of the registry's files
	insecure   bool                // insecure_repository
	plain      bool                // HTTP
	noCrane    bool                // crane cannot log in there
	home       string              // the user's
	onlySkopeo bool                // of the clients that read back can show a certificate
	env        []string            // the user's, KEY=VALUE
	clientEnv  []string            // of the clients that read back
	certs      map[string]string   // the user's certs.d for the registry: paths by the name there
	tls        *registries.KeyPair // the registry's certificate, nil for HTTP
	opts       []registries.Option
}

// transport is a way to speak to a registry: what the registry needs for it, and the
// settings of the user.
type transport struct {
	name  string
	setUp func(t *testing.T, s *site)
	// mutual: clients have to show a certificate
	mutual bool
	// formats of the images in the matrix
	formats []string
}

func transports() []transport {
	both := []string{"Docker", "OCI"}
	return []transport{
		{name: "plain HTTP", setUp: plainHTTP, formats: both},
		{name: "self-signed", setUp: selfSigned, formats: both},
		{name: "private CA", setUp: privateCA, formats: both},
		{name: "certs.d", setUp: certsD, formats: both[1:]},
		{name: "client certificate", setUp: clientCertificate, formats: both[:1], mutual: true},
	}
}

func plainHTTP(_ *testing.T, s *site) { s.insecure, s.plain = true, true }

func selfSigned(t *testing.T, s *site) {
	pair, err := registries.SelfSignedPair(s.home)
	if err != nil {
		t.Fatal(err)
	}
	s.insecure, s.tls = true, &pair
	s.opts = append(s.opts, registries.TLS(pair))
}

// privateCA has the user trust the authority for everything.
func privateCA(t *testing.T, s *site) {
	s.env = append(s.env, "SSL_CERT_FILE="+s.authority(t).Certificate)
}

// certsD has the user trust the authority for this registry, as docker users do.
func certsD(t *testing.T, s *site) {
	ca := s.authority(t)
	s.certs = map[string]string{"ca.crt": ca.Certificate}
}

// clientCertificate is certsD with a registry that lets nobody in without one.
func clientCertificate(t *testing.T, s *site) {
	ca := s.authority(t)
	pair, err := ca.Client()
	if err != nil {
		t.Fatal(err)
	}
	s.opts = append(s.opts, registries.ClientCA(ca.Certificate))
	s.certs = map[string]string{"ca.crt": ca.Certificate, "client.cert": pair.Certificate, "client.key": pair.Key}
	s.onlySkopeo = true
}

// authority makes one for the site, which the clients that read back trust.
func (s *site) authority(t *testing.T) *registries.Authority {
	t.Helper()
	ca, err := registries.NewAuthority(s.home)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server()
	if err != nil {
		t.Fatal(err)
	}
	s.tls = &pair
	s.opts = append(s.opts, registries.TLS(pair))
	s.clientEnv = append(s.clientEnv, "SSL_CERT_FILE="+ca.Certificate)
	return ca
}

// newSite is a user with settings, and no registry yet.
func newSite(t *testing.T, setUp func(*testing.T, *site)) *site {
	t.Helper()
	s := &site{data: t.TempDir(), home: t.TempDir()}
	// What the machine that runs the tests has in /etc does not count.
	s.env = []string{"RULES_DOCKER_CONFIG_ROOT=" + t.TempDir()}
	setUp(t, s)
	return s
}

// start starts the site's registry, with a wire before it. Both end with the test.
func (s *site) start(t *testing.T, k kind, opts ...registries.Option) *site {
	t.Helper()
	var err error
	s.opts = append(s.opts, opts...)
	if s.server, err = k.start(s.data, s.opts...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.wire, err = registries.NewWire(s.server.Addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.wire.Close() }) //nolint:errcheck // it has nothing to lose
	for name, path := range s.certs {
		data := harness.Read(t, path)
		harness.Write(t, s.home, filepath.Join(".docker", "certs.d", s.wire.Addr(), name), data, 0o600)
		harness.Write(t, s.home, filepath.Join(".config", "containers", "certs.d", s.server.Addr(), name), data, 0o600)
	}
	return s
}

// login leaves what docker login leaves.
func (s *site) login(t *testing.T, password string) {
	t.Helper()
	auth := map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + password))}
	config := asJSON(t, map[string]any{"auths": map[string]any{s.wire.Addr(): auth, s.server.Addr(): auth}})
	harness.Write(t, s.home, filepath.Join(".docker", "config.json"), config, 0o600)
}
