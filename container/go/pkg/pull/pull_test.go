package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

func index(images ...v1.ImageIndex) v1.ImageIndex {
	all := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, i := range images {
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: i})
	}
	return all
}

func TestPull(t *testing.T) {
	s := newServer(t, "127.0.0.2")
	amd, arm := randomImage(t, 3), randomImage(t, 2)
	s.publish(t, "a:v1", amd)
	several := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: amd})
	nested := index(several)
	deep := index(index(index(nested)))
	for tag, i := range map[string]v1.ImageIndex{"several": several, "nested": nested, "deep": deep} {
		if err := remote.WriteIndex(s.ref(t, "a:"+tag), i); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, ref string
		platform  Platform
		named     v1.Hash
		image     v1.Image // nil if it fails
		want      error
	}{
		{"tag", "a:v1", amd64(), digest(t, amd), amd, nil},
		{"tag of an image, whatever its platform", "a:v1", Platform{OS: "plan9"}, digest(t, amd), amd, nil},
		{"digest", "a@" + digest(t, amd).String(), amd64(), digest(t, amd), amd, nil},
		{"index", "a:several", Platform{OS: "linux", Architecture: "arm64"}, digest(t, several), arm, nil},
		{"digest of an index", "a@" + digest(t, several).String(), amd64(), digest(t, several), amd, nil},
		{"index of an index", "a:nested", amd64(), digest(t, nested), amd, nil},
		{"indexes without end", "a:deep", amd64(), v1.Hash{}, nil, ErrManifest},
		{"no such platform", "a:several", Platform{OS: "windows", Architecture: "amd64"}, v1.Hash{}, nil, ErrPlatform},
		{"no such tag", "a:v2", amd64(), v1.Hash{}, nil, ErrAbsent},
		{"no such repository", "b:v1", amd64(), v1.Hash{}, nil, ErrAbsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "image")
			result, err := s.puller(t, nil).Pull(context.Background(), s.ref(t, c.ref), c.platform, dir)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.image == nil {
				checkEmpty(t, dir)
				return
			}
			if result.Named != c.named || result.Digest != digest(t, c.image) {
				t.Errorf("got %+v", result)
			}
			checkDir(t, dir, c.image)
		})
	}
}

func checkDir(t *testing.T, dir string, image v1.Image) {
	t.Helper()
	manifest, err := image.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"manifest.json": string(manifest), "config.json": string(config), "digest": digest(t, image).String()}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for n, layer := range layers {
		r, err := layer.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want[fmt.Sprintf("%03d.tar.gz", n)] = string(data)
		want[fmt.Sprintf("%03d.sha256", n)] = digest(t, layer).Hex
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("%d files, want %d: %v, %v", len(entries), len(want), entries, err)
	}
	for name, content := range want {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != content {
			t.Errorf("%s: %d bytes, want %d, or others (%v)", name, len(data), len(content), err)
		}
	}
}

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestPullAgain(t *testing.T) {
	s := newServer(t, "127.0.0.2")
	s.publish(t, "a:large", randomImage(t, 3))
	small := randomImage(t, 1)
	s.publish(t, "a:small", small)
	dir := t.TempDir()
	for _, tag := range []string{"a:large", "a:small"} {
		if _, err := s.puller(t, nil).Pull(context.Background(), s.ref(t, tag), amd64(), dir); err != nil {
			t.Fatal(err)
		}
	}
	checkDir(t, dir, small)
}

func TestPullLies(t *testing.T) {
	image := randomImage(t, 2)
	answer := func(part, body string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, part) {
				_, _ = io.WriteString(w, body)
				return true
			}
			return false
		}
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := mutate.AppendLayers(empty.Image, layers[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	m = m.DeepCopy()
	m.Layers = m.Layers[:1]
	short, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	other, err := fewer.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, ref, part, body string
		want                  error
	}{
		{"another manifest under a digest", "a@" + digest(t, image).String(), "/manifests/", string(other), ErrMismatch},
		{"too few layers", "a:v1", "/manifests/", string(short), ErrManifest},
		{"a manifest without end", "a:v1", "/manifests/", strings.Repeat(" ", 5<<20), distribution.ErrProtocol},
		{"another layer", "a:v1", "/blobs/" + digest(t, layers[1]).String(), "x", distribution.ErrContent},
		{"another configuration", "a:v1", "/blobs/" + m.Config.Digest.String(), strings.Repeat("x", int(m.Config.Size)), distribution.ErrContent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, "127.0.0.2")
			s.publish(t, "a:v1", image)
			s.intercept = answer(c.part, c.body)
			dir := filepath.Join(t.TempDir(), "image")
			_, err := s.puller(t, nil).Pull(context.Background(), s.ref(t, c.ref), amd64(), dir)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == ErrMismatch && !strings.Contains(err.Error(), "Expected "+digest(t, image).String()+", but pulled image with "+digest(t, fewer).String()) {
				t.Errorf("got %v", err)
			}
			checkEmpty(t, dir)
		})
	}
}

func TestPullOnce(t *testing.T) {
	s := newServer(t, "127.0.0.2")
	image := randomImage(t, 1)
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if image, err = mutate.AppendLayers(image, layers[0]); err != nil {
		t.Fatal(err)
	}
	s.publish(t, "a:v1", image)
	s.publish(t, "b:v1", image)

	t.Run("a layer that is there twice", func(t *testing.T) {
		before := s.gets("/blobs/" + digest(t, layers[0]).String())
		dir := t.TempDir()
		if _, err := s.puller(t, nil).Pull(context.Background(), s.ref(t, "a:v1"), amd64(), dir); err != nil {
			t.Fatal(err)
		}
		checkDir(t, dir, image)
		if n := s.gets("/blobs/"+digest(t, layers[0]).String()) - before; n != 1 {
			t.Errorf("asked for %d times", n)
		}
	})
	t.Run("pulls with one cache", func(t *testing.T) {
		before := s.gets("/blobs/")
		cache := testCache(t)
		var group sync.WaitGroup
		for _, ref := range []string{"a:v1", "b:v1", "a:v1", "b:v1"} {
			group.Go(func() {
				p := s.puller(t, nil)
				p.Cache = cache
				dir := filepath.Join(t.TempDir(), "image")
				if _, err := p.Pull(context.Background(), s.ref(t, ref), amd64(), dir); err != nil {
					t.Error(err)
					return
				}
				checkDir(t, dir, image)
			})
		}
		group.Wait()
		if n := s.gets("/blobs/") - before; n != 2 {
			t.Errorf("%d blobs were asked for, want a layer and a configuration", n)
		}
	})
}

// TestPullRedirect makes sure that credentials stay where they belong when a registry
// sends its clients to another host for blobs, or names one for a foreign layer.
func TestPullRedirect(t *testing.T) {
	const password = "open sesame"
	cdn := newServer(t, "127.0.0.3")
	s := newServer(t, "127.0.0.2")
	image := randomImage(t, 2)
	cdn.publish(t, "a:v1", image)
	s.publish(t, "a:v1", image)
	s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if _, got, _ := r.BasicAuth(); got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, "http://"+cdn.host+r.URL.Path, http.StatusTemporaryRedirect)
			return true
		}
		return false
	}
	home := t.TempDir()
	config := fmt.Sprintf(`{"auths":{%q:{"username":"u","password":%q}},"HttpHeaders":{"X-Key":"secret"}}`, s.host, password)
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(cdn.requests())
	dir := t.TempDir()
	keychain := registry.NewKeychain(home, func(string) string { return "" })
	if _, err := s.puller(t, keychain).Pull(context.Background(), s.ref(t, "a:v1"), amd64(), dir); err != nil {
		t.Fatal(err)
	}
	checkDir(t, dir, image)
	asked := cdn.requests()[before:]
	if len(asked) != 3 {
		t.Errorf("%d requests at the other host, want 3", len(asked))
	}
	for _, r := range asked {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Key") != "" {
			t.Errorf("%s got %v", r.URL, r.Header)
		}
	}
}

func TestPullCancelled(t *testing.T) {
	s := newServer(t, "127.0.0.2")
	s.publish(t, "a:v1", randomImage(t, 2))
	ctx, cancel := context.WithCancel(context.Background())
	s.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			cancel()
			<-r.Context().Done()
		}
		return false
	}
	dir := filepath.Join(t.TempDir(), "image")
	if _, err := s.puller(t, nil).Pull(ctx, s.ref(t, "a:v1"), amd64(), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	checkEmpty(t, dir)
}
