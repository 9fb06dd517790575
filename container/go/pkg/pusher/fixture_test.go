package pusher

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
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
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// target is an executable target as bazel run starts it.
type target struct {
	program string // its path, for argv[0]
	digest  string // of the image it pushes
	plan    spec.PushPlan
}

func save(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// newTarget makes //cmd:image-push with an image of one layer, to registry/team/app:v1.0.0.
func newTarget(t *testing.T, host string) *target {
	t.Helper()
	tg := &target{program: filepath.Join(t.TempDir(), "bazel bin", "cmd", "image-push")}
	runfiles := tg.program + ".runfiles/ws/"
	layer := []byte("a layer")
	digest, size, err := v1.SHA256(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	config := asJSON(t, v1.ConfigFile{Architecture: "amd64", OS: "linux",
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{digest}}})
	configDigest, configSize, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	manifest := asJSON(t, v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2,
		Config: v1.Descriptor{MediaType: types.DockerConfigJSON, Size: configSize, Digest: configDigest},
		Layers: []v1.Descriptor{{MediaType: types.DockerUncompressedLayer, Size: size, Digest: digest}}})
	manifestDigest, _, err := v1.SHA256(bytes.NewReader(manifest))
	if err != nil {
		t.Fatal(err)
	}
	tg.digest = manifestDigest.String()
	save(t, runfiles+"layer.tar", layer)
	save(t, runfiles+"config.json", config)
	save(t, runfiles+"manifest.json", manifest)
	save(t, runfiles+"repository.txt", []byte("from/file \t\n\n"))
	save(t, runfiles+"tag.txt", []byte("v-{STABLE_TAG}\r\n"))
	save(t, runfiles+"stable-status.txt", []byte("STABLE_TAG v1.0.0\nSTABLE_OTHER x\n"))
	tg.plan = spec.PushPlan{Version: 1, Images: []spec.Push{{
		Target: "//cmd:image-push", BuildFile: "cmd/BUILD.bazel", Rule: "container_push", Format: "Docker",
		Registry: host, Repository: "team/app", Tag: "v1.0.0",
		Manifest: "ws/manifest.json", Config: "ws/config.json", Layers: []string{"ws/layer.tar"},
	}}}
	return tg
}

func (tg *target) file(name string) string { return tg.program + ".runfiles/ws/" + name }

// run starts the target as bazel run does and returns its exit code and stderr.
func (tg *target) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	save(t, tg.program+".push.json", asJSON(t, tg.plan))
	return start(t, context.Background(), tg.program, map[string]string{"HOME": t.TempDir()}, args...)
}

func start(t *testing.T, ctx context.Context, argv0 string, env map[string]string, args ...string) (int, string) {
	t.Helper()
	if env[registry.RootVariable] == "" { // no test may depend on what this machine is told
		env = maps.Clone(env)
		if env == nil {
			env = map[string]string{}
		}
		env[registry.RootVariable] = t.TempDir()
	}
	var stdout, stderr bytes.Buffer
	code := Run(ctx, Params{
		Argv0: argv0, Args: args, Stdout: &stdout, Stderr: &stderr, UserAgent: "pusher/test",
		Getenv: func(key string) string { return env[key] },

		Retry: distribution.Retry{
			Attempts: 3,
			Sleep:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		},
	})
	if stdout.Len() > 0 {
		t.Errorf("stdout has %q", stdout.String())
	}
	return code, stderr.String()
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func serve(t *testing.T, handler http.Handler, tls bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := discard()
	if handler == nil {
		handler = fake.New(fake.Logger(quiet))
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler, ErrorLog: quiet}}
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return l.Addr().String()
}

func digestAt(t *testing.T, ref string) string {
	t.Helper()
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Get(r)
	if err != nil {
		return ""
	}
	return desc.Digest.String()
}

func contains(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in:\n%s", w, got)
		}
	}
}
