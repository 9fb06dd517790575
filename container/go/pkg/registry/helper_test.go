package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

func TestHelpers(t *testing.T) {
	bin := t.TempDir()
	for helper, script := range map[string]string{
		"works":  "#!/bin/sh\ncat >/dev/null\nprintf '{\"Username\":\"helped\",\"Secret\":\"x\"}'\n",
		"broken": "#!/bin/sh\ntouch \"$0.ran\"\necho 'no session bus' >&2\necho '{\"Username\":\"me\",\"Secret\":\"hunter2\"}'\nexit 1\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, "docker-credential-"+helper), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	plain := map[string]any{"r.example": map[string]string{"auth": encoded()}}
	for _, c := range []struct {
		name   string
		config map[string]any
		want   string // user
		err    string
		warned bool
		ran    bool // the broken one
	}{
		{name: "broken for another registry", config: map[string]any{"auths": plain,
			"credHelpers": map[string]string{"other.example": "broken", "third.example": "missing"}}, want: user},
		{name: "broken for this registry", config: map[string]any{"credHelpers": map[string]string{"r.example": "broken"}},
			err: "docker-credential-broken", ran: true},
		{name: "missing for this registry", config: map[string]any{"credHelpers": map[string]string{"r.example": "missing"}}, err: "docker-credential-missing"},
		{name: "fails with a secret for this registry", config: map[string]any{"credHelpers": map[string]string{"r.example": "leaks"}},
			err: "docker-credential-leaks"},
		{name: "fails with a secret for all", config: map[string]any{"credsStore": "leaks"}, warned: true},
		{name: "broken for all, own works", config: map[string]any{"credsStore": "broken",
			"credHelpers": map[string]string{"r.example": "works"}}, want: "helped"},
		{name: "broken for all, in the file", config: map[string]any{"credsStore": "broken", "auths": plain}, want: user, warned: true, ran: true},
		{name: "missing for all", config: map[string]any{"credsStore": "missing"}, warned: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_ = os.Remove(filepath.Join(bin, "docker-credential-broken.ran"))
			k := NewKeychain(dockerConfig(t, c.config), noEnv)
			found, err := k.Resolve(repo(t, "r.example/team/app"))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "credHelpers for r.example") ||
					strings.Contains(err.Error(), "correct-horse") {
					t.Errorf("got %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else if config, err := authn.Authorization(context.Background(), found); err != nil || config.Username != c.want {
				t.Errorf("got %q, %v", config.Username, err)
			}
			if source := k.Source(repo(t, "r.example/team/app")); strings.Contains(fmt.Sprint(source, err), "hunter2") {
				t.Errorf("a secret is in %s, %v", source, err)
			}
			if failed := k.failures(); (len(failed) > 0) != c.warned || c.warned && (!strings.Contains(failed[0], "credsStore") || strings.Contains(failed[0], "hunter2")) {
				t.Errorf("warned: %q", failed)
			}
			if _, err := os.Stat(filepath.Join(bin, "docker-credential-broken.ran")); (err == nil) != c.ran {
				t.Errorf("the broken helper ran: %v", err == nil)
			}
		})
	}
}

// TestManyFiles checks that files are asked until one of them knows the repository.
func TestManyFiles(t *testing.T) {
	home := t.TempDir()
	for path, content := range map[string]string{
		"auth.json":                    `{"auths":{"a.example":{"auth":"ZmlsZTp4"},"a.example/team":{"auth":"dGVhbTp4"}}}`,
		".docker/config.json":          `{"auths":{"a.example":{"auth":"ZG9ja2VyOng="},"b.example":{"auth":"ZG9ja2VyOng="}}}`,
		".config/containers/auth.json": `{"auths":{"c.example":{"auth":"cG9kbWFuOng="},"docker.io":{"auth":"cG9kbWFuOng="}}}`,
	} {
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"HOME": home, "REGISTRY_AUTH_FILE": filepath.Join(home, "auth.json"), RootVariable: filepath.Join(home, "root")}
	k := NewKeychain("", func(key string) string { return env[key] })
	for target, want := range map[string][2]string{
		"a.example/app":      {"file", "auth.json (a.example)"}, // REGISTRY_AUTH_FILE first
		"a.example/team/app": {"team", "auth.json (a.example/team)"},
		"a.example/teams/x":  {"file", "auth.json (a.example)"},
		"b.example/app":      {"docker", "config.json (b.example)"},
		"c.example/app":      {"podman", ".config/containers/auth.json (c.example)"},
		"busybox":            {"podman", "auth.json (docker.io)"},
		"d.example/app":      {"", "no credentials"},
	} {
		t.Run(target, func(t *testing.T) {
			found, err := k.Resolve(repo(t, target))
			if err != nil {
				t.Fatal(err)
			}
			config, err := authn.Authorization(context.Background(), found)
			if err != nil || config.Username != want[0] {
				t.Errorf("got %q, %v", config.Username, err)
			}
			if source := k.Source(repo(t, target)); !strings.Contains(source, want[1]) {
				t.Errorf("got %q", source)
			}
		})
	}
}
