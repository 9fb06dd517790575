package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

func TestKeychain(t *testing.T) {
	home := t.TempDir()
	write := func(path, who string) string {
		t.Helper()
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		auth := base64.StdEncoding.EncodeToString([]byte(who + ":x"))
		data, err := json.Marshal(map[string]any{"auths": map[string]any{
			"127.0.0.2:5000": map[string]string{"auth": auth}, "https://index.docker.io/v1/": map[string]string{"auth": auth}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("given/config.json", "given")
	write("env/config.json", "env")
	write("home/.docker/config.json", "home")
	auth := write("auth.json", "authfile")
	write("run/containers/auth.json", "runtime")
	write("xdg/containers/auth.json", "xdg")
	write("bare/.config/containers/auth.json", "dotconfig")
	write("helper/config.json", "unused")
	if err := os.WriteFile(filepath.Join(home, "helper/config.json"),
		[]byte(`{"credHelpers":{"127.0.0.2:5000":"test"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncat >/dev/null\nprintf '{\"Username\":\"helped\",\"Secret\":\"x\"}'\n"
	if err := os.WriteFile(filepath.Join(home, "docker-credential-test"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", home+string(os.PathListSeparator)+os.Getenv("PATH"))
	at := func(p string) string { return filepath.Join(home, p) }

	cases := []struct {
		name, dir, target string
		env               map[string]string
		want              string
	}{
		{name: "given directory wins", dir: at("given"), env: map[string]string{"DOCKER_CONFIG": at("env"), "HOME": at("home")}, want: "given"},
		{name: "given directory alone", dir: at("nothing"), env: map[string]string{"HOME": at("home")}, want: ""},
		{name: "DOCKER_CONFIG", env: map[string]string{"DOCKER_CONFIG": at("env"), "HOME": at("home")}, want: "env"},
		{name: "home", env: map[string]string{"HOME": at("home")}, want: "home"},
		{name: "Docker Hub", target: "index.docker.io/library/busybox", env: map[string]string{"HOME": at("home")}, want: "home"},
		{name: "DOCKER_AUTH_CONFIG", env: map[string]string{"HOME": at("home"),
			"DOCKER_AUTH_CONFIG": `{"auths":{"127.0.0.2:5000":{"auth":"dmFyaWFibGU6eA=="}}}`}, want: "variable"},
		{name: "DOCKER_AUTH_CONFIG beside a given directory", dir: at("given"), env: map[string]string{
			"DOCKER_AUTH_CONFIG": `{"auths":{"127.0.0.2:5000":{"auth":"dmFyaWFibGU6eA=="}}}`}, want: "given"},
		{name: "another host", target: "127.0.0.2:5001/a", env: map[string]string{"HOME": at("home")}, want: ""},
		{name: "REGISTRY_AUTH_FILE", env: map[string]string{"HOME": at("none"), "REGISTRY_AUTH_FILE": auth}, want: "authfile"},
		{name: "XDG_RUNTIME_DIR", env: map[string]string{"XDG_RUNTIME_DIR": at("run"), "XDG_CONFIG_HOME": at("xdg")}, want: "runtime"},
		{name: "XDG_CONFIG_HOME", env: map[string]string{"XDG_CONFIG_HOME": at("xdg")}, want: "xdg"},
		{name: "~/.config", env: map[string]string{"HOME": at("bare")}, want: "dotconfig"},
		{name: "credential helper", dir: at("helper"), want: "helped"},
		{name: "nothing set", want: ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			target := c.target
			if target == "" {
				target = "127.0.0.2:5000/team/app"
			}
			k := NewKeychain(c.dir, func(key string) string {
				if key == RootVariable {
					return at("root")
				}
				return c.env[key]
			})
			found, err := k.Resolve(repo(t, target))
			if err != nil {
				t.Fatal(err)
			}
			config, err := authn.Authorization(context.Background(), found)
			if err != nil {
				t.Fatal(err)
			}
			if config.Username != c.want {
				t.Errorf("got the credentials of %q, want %q", config.Username, c.want)
			}
		})
	}
	t.Run("the working directory's config.json is not read", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("not JSON"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		if headers := NewKeychain("", noEnv).Headers(); len(headers) > 0 {
			t.Errorf("got %v", headers)
		}
	})
}

// A file that cannot be understood is an error that says where, for whoever has not
// found his credentials before.
func TestBrokenAuthFile(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(home, ".docker", "config.json")
	if err := os.WriteFile(broken, []byte("{\n  \"auths\": {,}\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(home, "auth.json")
	if err := os.WriteFile(first, []byte(`{"auths":{"a.example":{"auth":"ZmlsZTp4"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": home, "REGISTRY_AUTH_FILE": first, RootVariable: filepath.Join(home, "root")}
	k := NewKeychain("", func(key string) string { return env[key] })
	if _, err := k.Resolve(repo(t, "a.example/app")); err != nil {
		t.Error(err)
	}
	if _, err := k.Resolve(repo(t, "b.example/app")); err == nil || !strings.Contains(err.Error(), broken+": line 2: ") {
		t.Errorf("got %v", err)
	}
	if headers := k.Headers(); len(headers) > 0 {
		t.Errorf("got %v", headers)
	}
}

// Credentials for a part of a registry are not for the rest of it. An address with a
// scheme, as docker used to write it, is all of the registry's.
func TestPartsOfARegistry(t *testing.T) {
	const auths = `{"auths":{"a.example:5000/team":{"auth":"dGVhbTp4"},"a.example:5000/zoo/x":{"auth":"em9vOng="},
		"https://b.example:5000/v1/":{"auth":"b2xkOng="},"c.example/":{"auth":"c2xhc2g6eA=="}}}`
	env := map[string]string{"DOCKER_AUTH_CONFIG": auths, RootVariable: t.TempDir()}
	k := NewKeychain("", func(key string) string { return env[key] })
	for target, want := range map[string][2]string{
		"a.example:5000/team/app": {"team", "DOCKER_AUTH_CONFIG (a.example:5000/team)"},
		"a.example:5000/zoo/x":    {"zoo", "(a.example:5000/zoo/x)"},
		"a.example:5000/zoo/y":    {"", "DOCKER_AUTH_CONFIG"},
		"a.example:5000/other":    {"", ""},
		"a.example/team/app":      {"", ""},
		"b.example:5000/app":      {"old", "(https://b.example:5000/v1/)"},
		"b.example/app":           {"", ""},
		"c.example/app":           {"slash", "(c.example/)"},
	} {
		t.Run(target, func(t *testing.T) {
			found, err := k.Resolve(repo(t, target))
			if err != nil {
				t.Fatal(err)
			}
			config, err := authn.Authorization(t.Context(), found)
			if err != nil || config.Username != want[0] {
				t.Errorf("got %q, %v", config.Username, err)
			}
			if source := k.Source(repo(t, target)); !strings.Contains(source, want[1]) {
				t.Errorf("got %q", source)
			}
		})
	}
}
