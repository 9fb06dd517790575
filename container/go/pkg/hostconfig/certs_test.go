package hostconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCertificates(t *testing.T) {
	certificate, key := pair(t)
	both := func(write func(path, content string) string, dir string) {
		write(dir+"/ca.crt", certificate)
		write(dir+"/client.cert", certificate)
		write(dir+"/client.key", key)
		write(dir+"/README", "not a certificate")
	}
	cases := []struct {
		name                 string
		files                func(m *machine)
		authorities, clients int
	}{
		{name: "nothing"},
		{name: "docker", files: func(m *machine) { both(m.etc, "docker/certs.d/r.example:5000") }, authorities: 1, clients: 1},
		{name: "rootless docker", files: func(m *machine) { both(m.home, ".config/docker/certs.d/r.example:5000") }, authorities: 1, clients: 1},
		{name: "Docker Desktop", files: func(m *machine) { both(m.home, ".docker/certs.d/r.example:5000") }, authorities: 1, clients: 1},
		{name: "containers", files: func(m *machine) { both(m.etc, "containers/certs.d/r.example:5000") }, authorities: 1, clients: 1},
		{name: "the user's of containers alone", files: func(m *machine) {
			both(m.etc, "containers/certs.d/r.example:5000")
			m.home(".config/containers/certs.d/r.example:5000/a.crt", certificate+certificate)
		}, authorities: 2},
		{name: "everybody's", files: func(m *machine) {
			both(m.etc, "containers/certs.d/r.example:5000")
			both(m.etc, "docker/certs.d/r.example:5000")
			both(m.etc, "containerd/certs.d/r.example:5000")
		}, authorities: 3, clients: 3},
		{name: "another port", files: func(m *machine) { both(m.etc, "docker/certs.d/r.example") }},
		{name: "hosts.toml, texts", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "ca = \"x.pem\"\nclient = \""+m.home("both.pem", certificate+key)+"\"\n")
			m.etc("containerd/certs.d/r.example:5000/x.pem", certificate)
		}, authorities: 1, clients: 1},
		{name: "hosts.toml, lists", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "server = \"https://r.example:5000\"\n[host.\"https://r.example:5000\"]\n"+
				"ca = [\"x.pem\", \"x.pem\"]\nclient = [[\"x.pem\", \"x.key\"], [\"both.pem\", \"\"]]\n")
			m.etc("containerd/certs.d/r.example:5000/x.pem", certificate)
			m.etc("containerd/certs.d/r.example:5000/x.key", key)
			m.etc("containerd/certs.d/r.example:5000/both.pem", certificate+key)
		}, authorities: 2, clients: 2},
		{name: "hosts.toml, a mirror's", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "[host.\"https://mirror.example\"]\nca = \"gone.pem\"\n")
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			if c.files != nil {
				c.files(m)
			}
			for _, ask := range []func(string) (int, int, error){
				func(host string) (int, int, error) {
					k, err := m.config().PushTLS(host)
					return len(k.Authorities), len(k.Certificates), err
				},
				func(host string) (int, int, error) {
					k, err := m.config().PullTLS(host)
					return len(k.Authorities), len(k.Certificates), err
				},
			} {
				authorities, clients, err := ask(host)
				if err != nil || authorities != c.authorities || clients != c.clients {
					t.Errorf("got %d authorities and %d client certificates, %v", authorities, clients, err)
				}
			}
			// No certificate makes a host insecure.
			if p, err := ask(m.config().PushRules(repositories(t, host+"/team/app")), host); err != nil || p.Reason != "" {
				t.Errorf("the rules say %+v, %v", p, err)
			}
		})
	}
}

func TestBrokenCertificates(t *testing.T) {
	certificate, key := pair(t)
	_, other := pair(t)
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"not PEM", map[string]string{"ca.crt": "binary"}, "ca.crt has no certificate in it"},
		{"broken PEM", map[string]string{"ca.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "ca.crt: "},
		{"no key", map[string]string{"client.cert": certificate}, "client.key beside it"},
		{"no certificate", map[string]string{"client.key": key}, "client.cert beside it"},
		{"another's key", map[string]string{"client.cert": certificate, "client.key": other}, "client.cert with key"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			for n, content := range c.files {
				m.etc("docker/certs.d/r.example:5000/"+n, content)
			}
			_, err := m.config().PushTLS(host)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "PRIVATE KEY") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLooked(t *testing.T) {
	m := newMachine(t)
	conf := m.etc("containers/registries.conf", "")
	dropIn := m.home(".config/containers/registries.conf.d/1.conf", "")
	found := map[string]State{}
	for _, f := range m.config().Looked(host) {
		if !strings.HasPrefix(f.Path, m.root) && !strings.HasPrefix(f.Path, m.user) {
			t.Errorf("%s is not of this machine", f.Path)
		}
		found[f.Path] = f.State
	}
	for path, want := range map[string]State{conf: Read, dropIn: Read, filepath.Join(m.root, "etc/docker/daemon.json"): Absent,
		filepath.Join(m.root, "etc/docker/certs.d", host): Absent} {
		if got, ok := found[path]; !ok || got != want {
			t.Errorf("%s: state %v, looked at: %v", path, got, ok)
		}
	}
	if os.Getuid() != 0 { // root may read everything
		if err := os.Chmod(conf, 0); err != nil {
			t.Fatal(err)
		}
		if files := m.config().Looked(host); files[0].State != Closed {
			t.Errorf("got %+v", files[0])
		}
		certificate, key := pair(t)
		m.etc("docker/certs.d/r.example:5000/ca.crt", certificate)
		m.etc("docker/certs.d/r.example:5000/client.cert", certificate)
		secret := m.etc("docker/certs.d/r.example:5000/client.key", key)
		if err := os.Chmod(secret, 0); err != nil {
			t.Fatal(err)
		}
		known, err := m.config().PushTLS(host)
		if err != nil || len(known.Authorities) != 1 || len(known.Certificates) != 0 {
			t.Errorf("got %+v, %v", known, err)
		}
		files := m.config().Looked(host)
		if last := files[len(files)-1]; last != (File{secret, Closed}) {
			t.Errorf("got %+v", last)
		}
	}
}
