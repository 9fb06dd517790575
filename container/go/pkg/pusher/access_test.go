package pusher

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	fake "github.com/google/go-containerregistry/pkg/registry"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// machine is where a push runs: its files and its environment.
type machine struct {
	t    *testing.T
	root string
	env  map[string]string
}

func newMachine(t *testing.T) *machine {
	root := t.TempDir()
	return &machine{t: t, root: root, env: map[string]string{registry.RootVariable: root, "HOME": filepath.Join(root, "home")}}
}

// file writes a file and returns its path.
func (m *machine) file(path, content string) string {
	return save(m.t, filepath.Join(m.root, path), []byte(content))
}

// push runs a target and returns its exit code, stdout and stderr.
func (m *machine) push(tg *target, args ...string) (code int, stdout, stderr string) {
	save(m.t, tg.program+".push.json", asJSON(m.t, tg.plan))
	var out, messages bytes.Buffer
	code = Run(context.Background(), Params{
		Argv0: tg.program, Args: args, Stdout: &out, Stderr: &messages,
		Getenv: func(key string) string { return m.env[key] },
	})
	return code, out.String(), messages.String()
}

// serveTLS starts a registry with a certificate that nobody trusts. It returns its address
// and the certificate; clients is asked of clients, nil for nothing.
func serveTLS(t *testing.T, handler http.Handler, clients *x509.CertPool) (host, certificate string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	own, ownKey := testPair(t)
	pair, err := tls.X509KeyPair([]byte(own), []byte(ownKey))
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler, ErrorLog: discard()}}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return l.Addr().String(), own
}

func newFake() http.Handler { return fake.New(fake.Logger(discard())) }

// TestSources pushes by each of the sources, to a registry that would be refused without.
func TestSources(t *testing.T) {
	plain := "plain HTTP, because of "
	unverified := "HTTPS without verifying its certificate, because of "
	cases := []struct {
		name  string
		tls   bool
		files func(m *machine, host, certificate string)
		args  []string // CERTIFICATE is the path of the registry's
		want  string   // "" for verified HTTPS
	}{
		{name: "registries.conf", files: func(m *machine, host, _ string) {
			m.file("etc/containers/registries.conf", "[[registry]]\nlocation=\""+host+"\"\ninsecure=true\n")
		}, want: plain + "insecure = true in "},
		{name: "registries.conf, TLS", tls: true, files: func(m *machine, host, _ string) {
			m.file("etc/containers/registries.conf", "[[registry]]\nlocation=\""+host+"/team\"\ninsecure=true\n")
		}, want: unverified + "insecure = true in "},
		{name: "daemon.json", files: func(m *machine, host, _ string) {
			m.file("etc/docker/daemon.json", `{"insecure-registries":["`+host+`"]}`)
		}, want: plain + "insecure-registries in "},
		{name: "daemon.json, range", tls: true, files: func(m *machine, _, _ string) {
			m.file("etc/docker/daemon.json", `{"insecure-registries":["127.0.0.0/8"]}`)
		}, want: unverified + "insecure-registries in "},
		{name: "hosts.toml, http", files: func(m *machine, host, _ string) {
			m.file("etc/containerd/certs.d/"+host+"/hosts.toml", `server = "http://`+host+`"`)
		}, want: plain + "http:// in "},
		{name: "hosts.toml, skip_verify", tls: true, files: func(m *machine, host, _ string) {
			m.file("etc/containerd/certs.d/"+host+"/hosts.toml", "skip_verify = true")
		}, want: unverified + "skip_verify in "},
		{name: "hosts.toml, ca", tls: true, files: func(m *machine, host, certificate string) {
			m.file("etc/containerd/certs.d/"+host+"/my.pem", certificate)
			m.file("etc/containerd/certs.d/"+host+"/hosts.toml", `ca = "my.pem"`)
		}},
		{name: "docker's certs.d", tls: true, files: func(m *machine, host, certificate string) {
			m.file("etc/docker/certs.d/"+host+"/ca.crt", certificate)
		}},
		{name: "containers' certs.d", tls: true, files: func(m *machine, host, certificate string) {
			m.file("home/.config/containers/certs.d/"+host+"/ca.crt", certificate)
		}},
		{name: "insecure, and the authority is known", tls: true, files: func(m *machine, host, certificate string) {
			m.file("etc/docker/daemon.json", `{"insecure-registries":["`+host+`"]}`)
			m.file("etc/docker/certs.d/"+host+"/ca.crt", certificate)
		}},
		{name: "--cacert", tls: true, args: []string{"--cacert", "CERTIFICATE"}},
		{name: "--cacert from where the user is", tls: true, args: []string{"--cacert=certificate.pem"}},
		{name: "--tls-verify=false", args: []string{"--tls-verify=false"}, want: plain + "--tls-verify=false"},
		{name: "--insecure-repository, TLS", tls: true, args: []string{"--insecure-repository"}, want: unverified + "--insecure-repository"},
		{name: "--plain-http", args: []string{"--plain-http"}, want: plain + "--plain-http"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			var host, certificate string
			if c.tls {
				host, certificate = serveTLS(t, newFake(), nil)
			} else {
				host = serve(t, nil, false)
			}
			path := m.file("user/certificate.pem", certificate)
			m.env["BUILD_WORKING_DIRECTORY"] = filepath.Dir(path)
			tg := newTarget(t, host)
			if code, _, out := m.push(tg); code != 1 {
				t.Fatalf("the registry is not refused to begin with:\n%s", out)
			}
			if c.files != nil {
				c.files(m, host, certificate)
			}
			var args []string
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(a, "CERTIFICATE", path))
			}
			code, _, out := m.push(tg, args...)
			if code != 0 {
				t.Fatalf("exit code %d:\n%s", code, out)
			}
			if c.want == "" && strings.Contains(out, "because of") {
				t.Errorf("not verified:\n%s", out)
			}
			contains(t, out, c.want, "Successfully pushed")
		})
	}
}

// TestPrecedence checks that what the command line says is said.
func TestPrecedence(t *testing.T) {
	host := serve(t, nil, false)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no, against the target and the machine", []string{"--insecure-repository=false"}, "speaks plain HTTP"},
		{"verify, against the target and the machine", []string{"--tls-verify=true"}, "speaks plain HTTP"},
		{"contradiction", []string{"--tls-verify", "--plain-http"}, "contradict each other"},
		{"another", []string{"--tls-verify=false", "--insecure-repository=false"}, "contradict each other"},
		{"no such authority", []string{"--cacert=/no/such.pem"}, "-cacert: reading the certificate of an authority: open /no/such.pem"},
		{"key alone", []string{"--key=/no/such.pem"}, "-key needs -cert"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			m.file("etc/docker/daemon.json", `{"insecure-registries":["`+host+`"]}`)
			tg := newTarget(t, host)
			tg.plan.Images[0].InsecureRepository = true
			code, _, out := m.push(tg, c.args...)
			if code != 1 || strings.Contains(out, "Successfully") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			contains(t, out, c.want)
		})
	}
	t.Run("a target does not ask the machine", func(t *testing.T) {
		m := newMachine(t)
		m.file("etc/docker/daemon.json", "broken")
		tg := newTarget(t, host)
		if code, _, out := m.push(tg); code != 1 || !strings.Contains(out, "daemon.json cannot be understood") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
		tg.plan.Images[0].InsecureRepository = true
		if code, _, out := m.push(tg); code != 0 || !strings.Contains(out, "because of insecure_repository\n") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
}

func TestClientCertificate(t *testing.T) {
	certificate, key := testPair(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certificate))
	host, authority := serveTLS(t, newFake(), pool)
	for _, c := range []struct {
		name  string
		files func(m *machine)
		args  func(m *machine) []string
		code  int
		want  string
	}{
		{name: "none", files: func(m *machine) { m.file("etc/docker/certs.d/"+host+"/ca.crt", authority) }, code: 1,
			want: "pass the certificate that it gave you with --cert FILE --key FILE"},
		{name: "certs.d", files: func(m *machine) {
			m.file("etc/docker/certs.d/"+host+"/ca.crt", authority)
			m.file("etc/docker/certs.d/"+host+"/client.cert", certificate)
			m.file("etc/docker/certs.d/"+host+"/client.key", key)
		}},
		{name: "command line", args: func(m *machine) []string {
			return []string{"--cacert", m.file("ca.pem", authority), "--cert", m.file("c.pem", certificate), "--key", m.file("k.pem", key)}
		}},
		{name: "insecure", args: func(m *machine) []string {
			return []string{"--tls-verify=false", "--cert", m.file("both.pem", certificate+key)}
		}, want: "without verifying"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			if c.files != nil {
				c.files(m)
			}
			var args []string
			if c.args != nil {
				args = c.args(m)
			}
			code, _, out := m.push(newTarget(t, host), args...)
			if code != c.code || !strings.Contains(strings.ToLower(out), strings.ToLower(c.want)) || strings.Contains(out, "PRIVATE KEY") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
}

// journal records what a registry was asked.
type journal struct {
	http.Handler
	mu    sync.Mutex
	lines []string
	auth  []string
}

func (j *journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	j.lines = append(j.lines, r.Method+" "+r.URL.Path)
	j.auth = append(j.auth, r.Header.Get("Authorization"))
	j.mu.Unlock()
	j.Handler.ServeHTTP(w, r)
}

// TestLocation checks that a push goes to the host it names, with that host's
// credentials, whatever registries.conf rewrites for pulls.
func TestLocation(t *testing.T) {
	private := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	named, location := &journal{Handler: private}, &journal{Handler: newFake()}
	namedHost, locationHost := serve(t, named, false), serve(t, location, false)
	m := newMachine(t)
	conf := m.file("etc/containers/registries.conf", "[[registry]]\nprefix=\""+namedHost+"\"\nlocation=\""+locationHost+"/x\"\ninsecure=true\n")
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	m.file("home/.docker/config.json", string(asJSON(t, map[string]any{"auths": map[string]any{
		namedHost: map[string]string{"auth": encode("a:named-secret")}, locationHost: map[string]string{"auth": encode("b:location-secret")}}})))
	tg := newTarget(t, namedHost)
	code, _, out := m.push(tg)
	if code != 1 || len(location.lines) != 0 || !strings.Contains(strings.Join(named.auth, "\n"), encode("a:named-secret")) {
		t.Errorf("exit code %d, the named host saw %q, its location %q:\n%s", code, named.auth, location.lines, out)
	}
	if strings.Contains(strings.Join(named.auth, "\n"), encode("b:location-secret")) || strings.Contains(out, "secret") {
		t.Errorf("a secret is where it does not belong:\n%s", out)
	}
	code, said, out := m.push(tg, "--explain")
	if code != 0 || strings.Contains(said+out, "secret") {
		t.Errorf("exit code %d:\n%s%s", code, said, out)
	}
	contains(t, said, "a pull would try "+locationHost+"/x/team/app:v1.0.0, by "+conf)
}

func TestBlocked(t *testing.T) {
	requests := &journal{Handler: newFake()}
	host := serve(t, requests, false)
	m := newMachine(t)
	conf := m.file("etc/containers/registries.conf", "[[registry]]\nlocation=\""+host+"\"\nblocked=true\n")
	m.file("home/.docker/config.json", `{"auths":{"`+host+`":{"auth":"YTpuYW1lZC1zZWNyZXQ="}}}`)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	code, _, out := m.push(tg, "--tls-verify=false")
	if code != 1 || len(requests.lines) != 0 {
		t.Errorf("exit code %d after %q:\n%s", code, requests.lines, out)
	}
	contains(t, out, "ERROR: //cmd:image-push: cannot push to "+host+"/team/app:v1.0.0: the registry "+host+" is blocked by "+conf)
}

func TestAdviceNamesFiles(t *testing.T) {
	m := newMachine(t)
	conf := m.file("etc/containers/registries.conf", "")
	plain := serve(t, nil, false)
	unknown, _ := serveTLS(t, newFake(), nil)
	for _, host := range []string{plain, unknown} {
		code, _, out := m.push(newTarget(t, host))
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
		contains(t, out, "//cmd:image-push", "insecure_repository = True", "\nLooked for "+host+" in: "+conf+"\n",
			"\nNot there: ", filepath.Join(m.root, "etc/docker/daemon.json"), filepath.Join(m.root, "etc/containerd/certs.d", host))
	}
}

func TestExplainFlag(t *testing.T) {
	requests := &journal{Handler: newFake()}
	host := serve(t, requests, false)
	m := newMachine(t)
	daemon := m.file("etc/docker/daemon.json", `{"insecure-registries":["`+host+`"]}`)
	certificate, _ := testPair(t)
	authority := m.file("etc/docker/certs.d/"+host+"/ca.crt", certificate)
	config := m.file("home/.docker/config.json", `{"auths":{"`+host+`":{"auth":"YTpuYW1lZC1zZWNyZXQ="}}}`)
	tg := newTarget(t, host)
	closed := tg.plan.Images[0]
	closed.Registry, closed.InsecureRepository = "127.0.0.2:1", true
	tg.plan.Images = append(tg.plan.Images, closed)
	code, said, out := m.push(tg, "--explain")
	if code != 0 || out != "" {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	contains(t, said, "//cmd:image-push pushes to "+host+"/team/app:v1.0.0\n", "credentials from "+config,
		"spoken to over plain HTTP, because of insecure-registries in "+daemon, "certificates: 1 of authorities, 0 of this client, from "+authority,
		"127.0.0.2:1\n  how it is spoken to cannot be told", "  who decides: insecure_repository\n", "127.0.0.2:1/team/app: no credentials, since none were found in: ")
	if strings.Contains(said, "named-secret") || strings.Contains(said, "YTpuYW1l") {
		t.Errorf("a secret is in:\n%s", said)
	}
	for _, line := range requests.lines {
		if line != "GET /v2/" {
			t.Errorf("the registry was asked %s", line)
		}
	}
}

// testPair makes a certificate for 127.0.0.2, that is its own authority, and its key.
func testPair(t *testing.T) (certificate, key string) {
	t.Helper()
	der, private := selfSigned(t)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
