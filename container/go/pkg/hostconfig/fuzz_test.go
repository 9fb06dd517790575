package hostconfig

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// FuzzFiles reads configuration files that may say anything. They are understood or
// refused by an error that names the file, and a host that none of them mentions
// stays as it is.
func FuzzFiles(f *testing.F) {
	f.Add("containers/registries.conf", "[[registry]]\nlocation = \"a.example\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"b.example/x\"\n", "a.example")
	f.Add("containers/registries.conf", "[[registry]]\nprefix = \"*.example\"\nblocked = true\n", "a.example")
	f.Add("docker/daemon.json", `{"insecure-registries": ["a.example:5000", "10.0.0.0/8", "https://b.example/"]}`, "a.example:5000")
	f.Add("containerd/certs.d/a.example/hosts.toml", "server = \"https://a.example\"\n[host.\"http://a.example\"]\ncapabilities = [\"push\"]\nskip_verify = true\nclient = [[\"c\", \"k\"], \"d\"]\n", "a.example")
	f.Add("containerd/certs.d/_default/hosts.toml", "[host]\n", "a.example")
	f.Add("docker/certs.d/a.example/ca.crt", "-----BEGIN CERTIFICATE-----\n", "a.example")
	allowed := map[string]bool{
		"containers/registries.conf": true, "docker/daemon.json": true, "docker/certs.d/a.example/ca.crt": true,
		"containerd/certs.d/a.example/hosts.toml": true, "containerd/certs.d/_default/hosts.toml": true,
	}
	f.Fuzz(func(t *testing.T, path, content, host string) {
		repo, err := name.NewRepository(host + "/team/app")
		if err != nil || !allowed[path] {
			return
		}
		m := newMachine(t)
		written := m.etc(path, content)
		c := m.config()
		explained := func(err error) {
			if err != nil && !strings.Contains(err.Error(), written) {
				t.Errorf("an error that does not name %s: %v", written, err)
			}
		}
		explained(c.CheckPush(repo))
		_, err = c.PullEndpoints(repo.Tag("v1"))
		explained(err)
		_, err = c.PushTLS(repo.RegistryStr())
		explained(err)
		for _, rule := range c.PushRules([]name.Repository{repo}) {
			policy, ok, err := rule(context.Background(), repo.RegistryStr())
			explained(err)
			if ok && err == nil && !strings.Contains(policy.Reason, written) {
				t.Errorf("a policy whose reason does not name %s: %+v", written, policy)
			}
		}
	})
}
