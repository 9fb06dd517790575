package registry

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// TestInnerRealm has token servers at addresses, as in-house registries do.
func TestInnerRealm(t *testing.T) {
	cert, pool := certificate(t, tomorrow(), "registry.example", "10.1.2.3", "10.1.2.4", "fd00::1", "169.254.169.254")
	cases := []struct {
		name     string
		registry string // with its port
		insecure bool   // the registry speaks plain HTTP, and was declared
		realm    string
		given    bool // the realm gets the credentials
	}{
		{name: "same address, other port", registry: "10.1.2.3:443", realm: "https://10.1.2.3:5001/token", given: true},
		{name: "other address", registry: "10.1.2.3:443", realm: "https://10.1.2.4:5001/token", given: true},
		{name: "IPv6", registry: "10.1.2.3:443", realm: "https://[fd00::1]:5001/token", given: true},
		{name: "no port", registry: "10.1.2.3:5000", realm: "https://10.1.2.4/token", given: true},
		{name: "declared registry", registry: "registry.example:80", insecure: true, realm: "https://10.1.2.4:5001/token", given: true},
		{name: "plain HTTP, same address", registry: "10.1.2.3:80", insecure: true, realm: "http://10.1.2.3:81/token", given: true},
		{name: "plain HTTP, other address", registry: "10.1.2.3:80", insecure: true, realm: "http://10.1.2.4:81/token"},
		{name: "a registry that nobody vouches for", registry: "registry.example:443", realm: "https://10.1.2.4:5001/token"},
		{name: "link-local", registry: "10.1.2.3:443", realm: "https://169.254.169.254:5001/token"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			realm := &recorder{next: tokenServer()}
			secured := serve(t, "127.0.0.3", realm, cert)
			plain := serve(t, "127.0.0.3", realm, nil)
			dial := map[string]string{
				"10.1.2.3:5001": secured, "10.1.2.4:5001": secured, "10.1.2.4:443": secured,
				"[fd00::1]:5001": secured, "169.254.169.254:5001": secured,
				"10.1.2.3:81": plain, "10.1.2.4:81": plain,
			}
			host := strings.TrimSuffix(strings.TrimSuffix(c.registry, ":443"), ":80")
			opts := Options{RootCAs: pool, Keychain: login(t, host), DialContext: dialTo(dial)}
			if c.insecure {
				dial[c.registry] = serve(t, "127.0.0.2", bearer(c.realm, newFake()), nil)
				dial[host+":443"] = closedPort
				opts.Rules = rules(host, true)
			} else {
				dial[c.registry] = serve(t, "127.0.0.2", bearer(c.realm, newFake()), cert)
			}
			target, err := name.NewRepository(host + "/team/app")
			if err != nil {
				t.Fatal(err)
			}
			err = push(context.Background(), New(opts), target)
			if (err == nil) != c.given {
				t.Errorf("got %v", err)
			}
			if realm.saw(encoded()) != c.given {
				t.Errorf("realm given the credentials: %v, want %v", !c.given, c.given)
			}
		})
	}
}
