package hostconfig

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

const (
	host          = "r.example:5000"
	insecureTable = "[[registry]]\nlocation = \"r.example:5000\"\ninsecure = true\n"
	daemon        = `{"debug": true, "insecure-registries": ["r.example:5000"]}`
)

func TestRules(t *testing.T) {
	insecure := registry.Policy{Insecure: true}
	cases := []struct {
		name  string
		files func(m *machine) // what the machine is told
		host  string           // asked about, r.example:5000 if empty
		repos []string         // pushed to, HOST/team/app if empty
		want  registry.Policy  // without its reason
		from  string           // end of the path of the file that spoke
	}{
		{name: "nothing"},
		{name: "registries.conf", files: func(m *machine) { m.etc("containers/registries.conf", insecureTable) }, want: insecure, from: "etc/containers/registries.conf"},
		{name: "secure table", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nlocation=\"r.example:5000\"\n")
			m.etc("docker/daemon.json", daemon)
		}, want: insecure, from: "etc/docker/daemon.json"},
		{name: "another host's table", files: func(m *machine) { m.etc("containers/registries.conf", insecureTable) }, host: "r.example:5001"},
		{name: "prefix of a namespace", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nlocation=\"r.example:5000/team\"\ninsecure=true\n")
		}, want: insecure, from: "registries.conf"},
		{name: "prefix of one of two namespaces", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nlocation=\"r.example:5000/team\"\ninsecure=true\n")
		}, repos: []string{host + "/team/app", host + "/other/app"}},
		{name: "a name that only begins alike", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nlocation=\"r.example:5000/tea\"\ninsecure=true\n")
		}},
		{name: "longest prefix", files: func(m *machine) {
			m.etc("containers/registries.conf", insecureTable+"[[registry]]\nlocation=\"r.example:5000/team\"\n")
		}},
		{name: "wildcard", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nprefix=\"*.example\"\ninsecure=true\n")
		}, want: insecure, from: "registries.conf"},
		{name: "location elsewhere", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nprefix=\"r.example:5000\"\nlocation=\"x.example\"\ninsecure=true\n")
		}, want: insecure, from: "registries.conf"},
		{name: "drop-in", files: func(m *machine) { m.etc("containers/registries.conf.d/10-x.conf", insecureTable) }, want: insecure, from: "10-x.conf"},
		{name: "not a drop-in", files: func(m *machine) { m.etc("containers/registries.conf.d/10-x.conf.bak", insecureTable) }},
		{name: "a later drop-in replaces a table", files: func(m *machine) {
			m.etc("containers/registries.conf", insecureTable)
			m.etc("containers/registries.conf.d/10.conf", "[[registry]]\nlocation=\"r.example:5000\"\n")
		}},
		{name: "user's drop-in after the system's", files: func(m *machine) {
			m.etc("containers/registries.conf.d/10.conf", "[[registry]]\nlocation=\"r.example:5000\"\n")
			m.home(".config/containers/registries.conf.d/00.conf", insecureTable)
		}, want: insecure, from: "00.conf"},
		{name: "user's file instead of the system's", files: func(m *machine) {
			m.etc("containers/registries.conf", insecureTable)
			m.etc("containers/registries.conf.d/10.conf", insecureTable)
			m.home(".config/containers/registries.conf", "")
		}},
		{name: "CONTAINERS_REGISTRIES_CONF", files: func(m *machine) {
			m.etc("containers/registries.conf", "broken")
			m.env["REGISTRIES_CONFIG_PATH"] = "/no/such"
			m.env["CONTAINERS_REGISTRIES_CONF"] = m.home("mine.conf", insecureTable)
		}, want: insecure, from: "mine.conf"},
		{name: "REGISTRIES_CONFIG_PATH", files: func(m *machine) { m.env["REGISTRIES_CONFIG_PATH"] = m.home("mine.conf", insecureTable) }, want: insecure, from: "mine.conf"},
		{name: "Docker Hub", files: func(m *machine) {
			m.etc("containers/registries.conf", "[[registry]]\nlocation=\"docker.io\"\ninsecure=true\n")
		}, host: "index.docker.io", want: insecure, from: "registries.conf"},

		{name: "daemon.json", files: func(m *machine) { m.etc("docker/daemon.json", daemon) }, want: insecure, from: "etc/docker/daemon.json"},
		{name: "daemon.json, another port", files: func(m *machine) { m.etc("docker/daemon.json", daemon) }, host: "r.example"},
		{name: "daemon.json with a scheme", files: func(m *machine) {
			m.etc("docker/daemon.json", `{"insecure-registries": ["http://R.example:5000/"]}`)
		}, want: insecure, from: "daemon.json"},
		{name: "rootless daemon.json", files: func(m *machine) {
			m.etc("docker/daemon.json", "{}")
			m.home(".config/docker/daemon.json", daemon)
		}, want: insecure, from: ".config/docker/daemon.json"},
		{name: "Docker Desktop", files: func(m *machine) { m.home(".docker/daemon.json", daemon) }, want: insecure, from: ".docker/daemon.json"},
		{name: "DOCKER_DAEMON_CONFIG", files: func(m *machine) {
			m.etc("docker/daemon.json", daemon)
			m.env["DOCKER_DAEMON_CONFIG"] = m.home("none.json", "")
		}},
		{name: "range of addresses", files: func(m *machine) { m.etc("docker/daemon.json", `{"insecure-registries": ["10.1.0.0/16"]}`) },
			host: "10.1.2.3:5000", want: insecure, from: "daemon.json"},
		{name: "outside the range", files: func(m *machine) { m.etc("docker/daemon.json", `{"insecure-registries": ["10.1.0.0/16"]}`) }, host: "10.2.2.3:5000"},
		{name: "range of IPv6 addresses", files: func(m *machine) { m.etc("docker/daemon.json", `{"insecure-registries": ["fd00::/8"]}`) },
			host: "[fd00::1]:5000", want: insecure, from: "daemon.json"},
		{name: "a name in the range", files: func(m *machine) {
			m.etc("docker/daemon.json", `{"insecure-registries": ["10.1.0.0/16"]}`)
			m.names["r.example"] = "10.1.2.3"
		}, want: insecure, from: "daemon.json"},
		{name: "a name that nobody knows", files: func(m *machine) { m.etc("docker/daemon.json", `{"insecure-registries": ["10.1.0.0/16"]}`) }},

		{name: "hosts.toml, http", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", `server = "http://r.example:5000"`)
		},
			want: registry.Policy{PlainHTTP: true}, from: "hosts.toml"},
		{name: "hosts.toml, skip_verify", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example_5000_/hosts.toml", "skip_verify = true\n")
		}, want: registry.Policy{SkipVerify: true}, from: "r.example_5000_/hosts.toml"},
		{name: "hosts.toml, _default", files: func(m *machine) { m.etc("containerd/certs.d/_default/hosts.toml", "skip_verify = true\n") },
			want: registry.Policy{SkipVerify: true}, from: "_default/hosts.toml"},
		{name: "hosts.toml, its own before _default", files: func(m *machine) {
			m.etc("containerd/certs.d/_default/hosts.toml", "skip_verify = true\n")
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "")
		}},
		{name: "hosts.toml, host", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml",
				"[host.\"https://mirror.example\"]\n[host.\"http://r.example:5000\"]\ncapabilities = [\"push\"]\n")
		}, want: registry.Policy{PlainHTTP: true}, from: "hosts.toml"},
		{name: "hosts.toml, host for pulls only", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "[host.\"http://r.example:5000\"]\ncapabilities = [\"pull\", \"resolve\"]\n")
		}},
		{name: "hosts.toml, a mirror is not the host", files: func(m *machine) {
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "server=\"http://other.example\"\n[host.\"http://mirror.example\"]\nskip_verify = true\n")
		}},
		{name: "order", files: func(m *machine) {
			m.etc("containers/registries.conf", insecureTable)
			m.etc("docker/daemon.json", "broken, and not asked")
			m.etc("containerd/certs.d/r.example:5000/hosts.toml", "broken = [")
		}, want: insecure, from: "registries.conf"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			if c.files != nil {
				c.files(m)
			}
			if c.host == "" {
				c.host = host
			}
			if c.repos == nil {
				c.repos = []string{c.host + "/team/app", "elsewhere.example/team/app"}
			}
			got, err := ask(m.config().PushRules(repositories(t, c.repos...)), c.host)
			if err != nil {
				t.Fatal(err)
			}
			reason := got.Reason
			got.Reason = ""
			if got != c.want {
				t.Errorf("got %+v because of %q, want %+v", got, reason, c.want)
			}
			if !strings.HasSuffix(reason, filepath.FromSlash(c.from)) || c.from == "" && reason != "" {
				t.Errorf("because of %q, want %q", reason, c.from)
			}
		})
	}
}

func TestNamesAreLookedUpOnlyForRanges(t *testing.T) {
	m := newMachine(t)
	m.etc("docker/daemon.json", `{"insecure-registries": ["other.example:5000"]}`)
	if p, err := ask(m.config().PushRules(nil), host); err != nil || p.Insecure || m.lookups != 0 {
		t.Errorf("got %+v, %v after %d lookups", p, err, m.lookups)
	}
}

func TestBrokenFiles(t *testing.T) {
	cases := []struct {
		name, path, content string
		want                []string
	}{
		{"registries.conf", "containers/registries.conf", "\n[[registry", []string{"CONTAINERS_REGISTRIES_CONF", "line 2"}},
		{"drop-in", "containers/registries.conf.d/1.conf", "[[registry]]\nlocation = \"http://x\"\n", []string{"URI schemes"}},
		{"daemon.json", "docker/daemon.json", "{\n", []string{"DOCKER_DAEMON_CONFIG", "line 2"}},
		{"daemon.json of another type", "docker/daemon.json", `{"insecure-registries": "x"}`, []string{"DOCKER_DAEMON_CONFIG"}},
		{"hosts.toml", "containerd/certs.d/r.example:5000/hosts.toml", "\nskip_verify = [", []string{"containerd's", "line 2"}},
		{"hosts.toml, ca", "containerd/certs.d/r.example:5000/hosts.toml", "ca = 1", []string{"ca is the path"}},
		{"hosts.toml, missing ca", "containerd/certs.d/r.example:5000/hosts.toml", `ca = "gone.pem"`, []string{"gone.pem"}},
		{"hosts.toml, client", "containerd/certs.d/r.example:5000/hosts.toml", `client = [["a", "b", "c"]]`, []string{"client is the path"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			path := m.etc(c.path, c.content)
			_, err := ask(m.config().PushRules(repositories(t, host+"/team/app")), host)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
		})
	}
	t.Run("of another host", func(t *testing.T) {
		m := newMachine(t)
		m.etc("containerd/certs.d/other.example/hosts.toml", "[")
		m.etc("docker/certs.d/other.example/ca.crt", "not PEM")
		if _, err := ask(m.config().PushRules(repositories(t, host+"/team/app")), host); err != nil {
			t.Error(err)
		}
		if _, err := m.config().PushTLS(host); err != nil {
			t.Error(err)
		}
	})
	t.Run("file of the environment that is not there", func(t *testing.T) {
		m := newMachine(t)
		m.env["CONTAINERS_REGISTRIES_CONF"] = "/no/such.conf"
		_, err := ask(m.config().PushRules(repositories(t, host+"/team/app")), host)
		if err == nil || !strings.Contains(err.Error(), "/no/such.conf") {
			t.Errorf("got %v", err)
		}
	})
}
