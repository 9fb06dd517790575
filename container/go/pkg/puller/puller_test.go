package puller

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	fake "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

const password = "open sesame"

// serve starts a registry, with a password if protected. It returns host:port and
// the digest of team/app:v1.
func serve(t *testing.T, protected bool) (host, digest string) {
	t.Helper()
	next := fake.New(fake.Logger(log.New(io.Discard, "", 0)))
	open := !protected
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, got, _ := r.BasicAuth(); !open && got != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"not `+r.Header.Get("Authorization")+got+`"}]}`, http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})}}
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(l.Addr().String()+"/team/app:v1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Close)
	open = true
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	open = !protected
	h, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return l.Addr().String(), h.String()
}

func start(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if env[registry.RootVariable] == "" { // no test may depend on what this machine is told
		env = map[string]string{registry.RootVariable: t.TempDir()}
	}
	var out, messages bytes.Buffer
	code = Run(context.Background(), Params{
		Args: args, Stdout: &out, Stderr: &messages, UserAgent: "test",
		Getenv: func(key string) string { return env[key] },

		Retry: distribution.Retry{Attempts: 2, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	})
	return code, out.String(), messages.String()
}

func TestRun(t *testing.T) {
	host, digest := serve(t, false)
	ref := host + "/team/app:v1"
	dir := filepath.Join(t.TempDir(), "image")
	code, stdout, stderr := start(t, nil, "-name", ref, "-directory", dir, "-insecure-repository")
	if code != 0 || stdout != digest+"\n" {
		t.Errorf("exit code %d, %q, %s", code, stdout, stderr)
	}
	for _, want := range []string{fmt.Sprintf("Successfully pulled image %q into %q", ref, dir), "plain HTTP, because of --insecure-repository"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "digest")); err != nil || string(data) != digest {
		t.Errorf("digest %q, %v", data, err)
	}
}

// TestMachine: what podman was told about a registry holds for a pull, too.
func TestMachine(t *testing.T) {
	host, digest := serve(t, false)
	for _, c := range []struct {
		name, conf string
		code       int
		want       string
	}{
		{"insecure", fmt.Sprintf("[[registry]]\nprefix = \"example.test\"\nlocation = %q\ninsecure = true\n", host), 0, "plain HTTP, because of "},
		{"mirror", fmt.Sprintf("[[registry]]\nlocation = \"example.test\"\n[[registry.mirror]]\nlocation = %q\ninsecure = true\n", host), 0, "plain HTTP"},
		{"mirror that does not answer", fmt.Sprintf("[[registry]]\nprefix = \"example.test\"\nlocation = %q\ninsecure = true\n"+
			"[[registry.mirror]]\nlocation = \"127.0.0.2:1\"\n", host), 0, "; trying " + host},
		{"blocked", "[[registry]]\nlocation = \"example.test\"\nblocked = true\n", 1, "blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "etc", "containers", "registries.conf")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.conf), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{registry.RootVariable: root}
			code, stdout, stderr := start(t, env, "-name", "example.test/team/app:v1", "-directory", filepath.Join(t.TempDir(), "image"))
			if code != c.code || code == 0 && stdout != digest+"\n" || !strings.Contains(stderr, c.want) {
				t.Errorf("exit code %d, %q, want %d and %q in\n%s", code, stdout, c.code, c.want, stderr)
			}
		})
	}
}

func TestUpstreamsFlags(t *testing.T) {
	var stderr bytes.Buffer
	f, err := parseFlags([]string{"-name", "n", "-directory", "d", "-client-config-dir", "c", "-cache", "x",
		"-architecture", "arm", "-os", "windows", "-os-version", "10", "-os-features", "a  b", "-variant", "v7",
		"-features", "sse4 aes", "-timeout", "7"}, &stderr)
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	got := fmt.Sprintf("%s %s %s %s %s %q %q", f.name, f.directory, f.configDir, f.cache, f.platform, f.platform.OSFeatures, f.platform.Features)
	want := `n d c x windows/arm/v7 version 10 with a with b with sse4 with aes ["a" "b"] ["sse4" "aes"]`
	if got != want || f.silence() != 7*time.Second {
		t.Errorf("got %s after %s, want %s", got, f.silence(), want)
	}
	if f, err = parseFlags([]string{"-name", "n", "-directory", "d"}, &stderr); err != nil || f.platform.String() != "linux/amd64" || f.timeout != 600 {
		t.Errorf("defaults: %+v, %v", f, err)
	}
}

func TestFailures(t *testing.T) {
	open, digest := serve(t, false)
	guarded, _ := serve(t, true)
	config := func(secret string) string {
		dir := t.TempDir()
		auth := base64.StdEncoding.EncodeToString([]byte("user:" + secret))
		data := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, guarded, auth)
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	zeros := "sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"no name", []string{"-directory", "d"}, []string{"Required option -name was not specified."}},
		{"no directory", []string{"-name", "n"}, []string{"Required option -directory was not specified."}},
		{"no flag", []string{"-name", "n", "-directory", "d", "what"}, []string{`"what"`}},
		{"no such flag", []string{"-nonsense"}, []string{"ERROR: flag provided but not defined: -nonsense; see -help"}},
		{"timeout", []string{"-name", "n", "-directory", "d", "-timeout", "0"}, []string{"above 0"}},
		{"a URL", []string{"-name", "http://" + open + "/a"}, []string{"without http://", "insecure_repository"}},
		{"user and password", []string{"-name", "user:guess 99@" + open + "/a"}, []string{"[redacted]@" + open, "docker login"}},
		{"no reference", []string{"-name", open + "/A"}, []string{"not a reference"}},
		{"plain HTTP", []string{"-name", open + "/team/app:v1", "-target", "base"},
			[]string{"speaks plain HTTP", `container_pull(name = "base")`, "insecure_repository = True"}},
		{"plain HTTP without a target", []string{"-name", open + "/team/app:v1"}, []string{"-insecure-repository"}},
		{"no tag", []string{"-insecure-repository", "-name", open + "/team/app:v2"}, []string{"there is no v2"}},
		{"no digest", []string{"-insecure-repository", "-name", open + "/team/app@" + zeros}, []string{"there is no " + zeros}},
		{"no credentials", []string{"-insecure-repository", "-name", guarded + "/team/app:v1"}, []string{"docker login " + guarded}},
		{"wrong credentials", []string{"-insecure-repository", "-name", guarded + "/team/app:v1", "-client-config-dir", config("guess 99")},
			[]string{"may have expired", "config.json"}},
		{"nothing listens", []string{"-name", "127.0.0.2:1/a:v1"}, []string{"connection refused", "Is the registry running"}},
		{"a cache that cannot be", []string{"-name", open + "/team/app@" + digest, "-cache", "/dev/null/x"}, []string{"DOCKER_REPO_CACHE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "image")
			args := c.args
			if !strings.HasPrefix(c.name, "no directory") && !strings.Contains(strings.Join(args, " "), "-directory") {
				args = append(args, "-directory", dir)
			}
			code, stdout, stderr := start(t, nil, args...)
			if code != 1 || stdout != "" {
				t.Errorf("exit code %d, %q", code, stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("no %q in\n%s", want, stderr)
				}
			}
			if strings.Contains(stderr, "guess 99") || strings.Contains(stderr, base64.StdEncoding.EncodeToString([]byte("user:guess 99"))) {
				t.Errorf("a secret is printed: %s", stderr)
			}
			if entries, err := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	if got := progress("h/r:t", 1_500_000, 20_000_000); got != "h/r:t: 1.5 of 20.0 MB" {
		t.Error(got)
	}
}
