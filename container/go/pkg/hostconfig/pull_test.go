package hostconfig

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

const digest = "sha256:0123456789012345678901234567890123456789012345678901234567890123"

func TestPullEndpoints(t *testing.T) {
	const mirrored = `
[[registry]]
prefix = "example.com/foo"
location = "internal.example:5000/bar"
insecure = true
[[registry.mirror]]
location = "tags.example/m"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
insecure = true
`
	cases := []struct {
		name, conf, ref string
		want            []string // "!" after an insecure one
	}{
		{"no file", "", "example.com/foo/app:v1", []string{"example.com/foo/app:v1"}},
		{"no table", mirrored, "example.com/foobar/app:v1", []string{"example.com/foobar/app:v1"}},
		{"tag", mirrored, "example.com/foo/app:v1", []string{"tags.example/m/app:v1", "internal.example:5000/bar/app:v1!"}},
		{"digest", mirrored, "example.com/foo/app@" + digest, []string{"digests.example/app@" + digest + "!", "internal.example:5000/bar/app@" + digest + "!"}},
		{"Docker Hub", "[[registry]]\nprefix=\"docker.io\"\nlocation=\"hub.example\"\n", "busybox:1", []string{"hub.example/library/busybox:1"}},
		{"wildcard without location", "[[registry]]\nprefix=\"*.example.com\"\ninsecure=true\n", "a.example.com/b:c", []string{"a.example.com/b:c!"}},
		{"IPv6 address", "[[registry]]\nlocation=\"[::1]:5000\"\ninsecure=true\n", "[::1]:5000/b:c", []string{"[::1]:5000/b:c!"}},
		{"mirror-by-digest-only", "[[registry]]\nlocation=\"a.example\"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation=\"m.example\"\n",
			"a.example/b:c", []string{"a.example/b:c"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			m.etc("containers/registries.conf", c.conf)
			ref, err := name.ParseReference(c.ref)
			if err != nil {
				t.Fatal(err)
			}
			endpoints, err := m.config().PullEndpoints(ref)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range endpoints {
				text := e.Reference.Name()
				if p, err := ask(m.config().PullRules(endpoints), e.Reference.Context().RegistryStr()); err != nil || p.Insecure != e.Insecure {
					t.Errorf("%s: the rules say %+v, %v", text, p, err)
				}
				if e.Insecure {
					text += "!"
				}
				got = append(got, text)
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBlocked(t *testing.T) {
	m := newMachine(t)
	path := m.etc("containers/registries.conf.d/1.conf", "[[registry]]\nlocation=\"bad.example/ns\"\nblocked=true\n")
	for text, want := range map[string]bool{"bad.example/ns/app": true, "bad.example/other/app": false} {
		repo := repositories(t, text)[0]
		var blocked *BlockedError
		err := m.config().CheckPush(repo)
		if errors.As(err, &blocked) != want || want && (blocked.File != path || blocked.Prefix != "bad.example/ns") {
			t.Errorf("%s: got %v", text, err)
		}
		if _, err := m.config().PullEndpoints(repo.Tag("x")); errors.As(err, &blocked) != want {
			t.Errorf("%s: a pull gets %v", text, err)
		}
	}
}

// TestCredentialsOfEndpoints checks that each endpoint gets what is its own, and nothing
// of the host that the user named.
func TestCredentialsOfEndpoints(t *testing.T) {
	m := newMachine(t)
	m.etc("containers/registries.conf", "[[registry]]\nprefix=\"named.example\"\nlocation=\"location.example/x\"\n[[registry.mirror]]\nlocation=\"mirror.example\"\n")
	m.home(".docker/config.json", `{"auths":{"named.example":{"auth":"bmFtZWQ6eA=="},"location.example":{"auth":"bG9jYXRpb246eA=="}}}`)
	keychain := registry.NewKeychain("", func(key string) string { return m.env[key] })
	endpoints, err := m.config().PullEndpoints(repositories(t, "named.example/app")[0].Tag("v1"))
	if err != nil || len(endpoints) != 2 {
		t.Fatalf("got %v, %v", endpoints, err)
	}
	for i, want := range []string{"", "location"} {
		found, err := keychain.Resolve(endpoints[i].Reference.Context())
		if err != nil {
			t.Fatal(err)
		}
		config, err := authn.Authorization(context.Background(), found)
		if err != nil || config.Username != want {
			t.Errorf("%s gets the credentials of %q, %v", endpoints[i].Reference, config.Username, err)
		}
	}
}
