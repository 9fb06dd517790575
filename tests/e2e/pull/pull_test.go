// Package pull proves what container_pull and container_load get: from a registry on
// plain HTTP that wants a password, by tag, by digest and by the digest of an index,
// with layers of every kind, and from an archive that skopeo made.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL_4 and
// BAZEL_7 the launchers of Bazel. Besides, docker-registry, skopeo and xz must be on PATH.
package pull

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// suite is what the tests share: a Bazel server takes seconds to start.
type suite struct {
	root      string
	home      string
	workspace string
	bazel     *harness.Bazel
	guarded   *registries.Counter // 127.0.0.2:5000 in the workspace, wants a password
	open      *registries.Server  // 127.0.0.2:5001
	base      v1.Image            // team/base:v1
	arm       v1.Image            // team/many, for arm64
	saved     v1.Image            // of the archive
	index     v1.Hash             // of team/many
	foreign   v1.Hash             // of the foreign layer
	folders   map[string]string   // of repositories
}

func TestPull(t *testing.T) {
	harness.EachEdge(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c)
		t.Run("ByTag", s.testByTag)
		t.Run("ByDigest", s.testByDigest)
		t.Run("ByIndexDigest", s.testByIndexDigest)
		t.Run("Targets", s.testTargets)
		t.Run("ClientConfig", s.testClientConfig)
		t.Run("PushOnTop", s.testPushOnTop)
		t.Run("Foreign", s.testForeign)
		t.Run("Failures", s.testFailures)
		t.Run("UnknownMachine", s.testUnknownMachine)
		t.Run("Load", s.testLoad)
		t.Run("Cache", s.testCache)
	})
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{root: root, home: filepath.Join(root, "home"), workspace: filepath.Join(root, "workspace"), folders: map[string]string{}}
	s.startRegistries(t)
	config := s.clientConfig(t)
	harness.Write(t, s.home, ".docker/config.json", config, 0o600)
	harness.Write(t, s.root, "config/config.json", config, 0o600)
	s.makeWorkspace(t, config)
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), s.home)
	return s
}

func (s *suite) startRegistries(t *testing.T) {
	t.Helper()
	data := filepath.Join(s.root, "registry")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := registries.StartDistribution(context.Background(), data, registries.Protected())
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, d)
	if s.guarded, err = registries.CountBytes(d.Addr()); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s.guarded)
	if s.open, err = registries.Memory(); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s.open)
	elsewhere, err := registries.Memory()
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, elsewhere)

	s.base, s.arm = baseImage(t, "amd64"), baseImage(t, "arm64")
	publish(t, s.guarded.Addr()+"/team/base:v1", s.base)
	s.saved = plainImage(t)
	publish(t, s.guarded.Addr()+"/team/plain:v1", s.saved)
	s.index = publishIndex(t, s.guarded.Addr()+"/team/many:latest", map[string]v1.Image{"amd64": s.base, "arm64": s.arm})

	plain := layerTar(t, "Windows")
	foreign := compressed(t, plain, compression.GZip, types.DockerLayer)
	s.foreign = must[v1.Hash](t)(foreign.Digest())
	if err := remote.WriteLayer(reference(t, elsewhere.Addr()+"/layers").Context(), foreign); err != nil {
		t.Fatal(err)
	}
	publish(t, s.open.Addr()+"/team/windows:latest",
		foreignImage(t, fmt.Sprintf("http://%s/v2/layers/blobs/%s", elsewhere.Addr(), s.foreign), plain))
}

func closeAfter(t *testing.T, c interface{ Close() error }) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (s *suite) clientConfig(t *testing.T) []byte {
	t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + registries.Password))
	data, err := json.Marshal(map[string]any{"auths": map[string]any{s.guarded.Addr(): map[string]string{"auth": login}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s *suite) makeWorkspace(t *testing.T, config []byte) {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.guarded.Addr()
	replacements["127.0.0.2:5001"] = s.open.Addr()
	replacements["%BASE_DIGEST%"] = must[v1.Hash](t)(s.base.Digest()).String()
	replacements["%INDEX_DIGEST%"] = s.index.String()
	replacements["%CONFIG_DIR%"] = filepath.Join(s.root, "config")
	if err := workspace.Copy(s.workspace, ".", replacements); err != nil {
		t.Fatal(err)
	}
	harness.Write(t, s.workspace, "config.json", config, 0o600)
	harness.Write(t, s.workspace, "helped/config.json", fmt.Appendf(nil, `{"credHelpers":{%q:"of-test"}}`, s.guarded.Addr()), 0o600)
	harness.Write(t, s.workspace, "helped/bin/docker-credential-of-test",
		fmt.Appendf(nil, "#!/bin/sh\necho '{\"Username\":%q,\"Secret\":%q}'\n", registries.User, registries.Password), 0o755)
	saved := filepath.Join(s.workspace, "saved.tar")
	harness.Skopeo(t, "copy", "--src-tls-verify=false", "--src-creds="+registries.User+":"+registries.Password,
		"docker://"+s.guarded.Addr()+"/team/plain:v1", "docker-archive:"+saved+":team/saved:v1")
	if out, err := exec.Command("xz", "--keep", "-1", saved).CombinedOutput(); err != nil {
		t.Fatalf("xz: %v\n%s", err, out)
	}
}

// external is a file of the package that a pull has made.
func (s *suite) external(t *testing.T, repository, file string) string {
	t.Helper()
	if s.folders[repository] == "" {
		s.folders[repository] = s.bazel.External(t, repository)
	}
	return filepath.Join(s.folders[repository], "image", file)
}

// checkPulled compares the directory of a pull with the image in the registry.
func (s *suite) checkPulled(t *testing.T, repository string, image v1.Image) {
	t.Helper()
	manifest := must[*v1.Manifest](t)(image.Manifest())
	if got, want := harness.Read(t, s.external(t, repository, "manifest.json")), must[[]byte](t)(image.RawManifest()); string(got) != string(want) {
		t.Errorf("manifest\n%s\nwant\n%s", got, want)
	}
	if got, want := harness.Read(t, s.external(t, repository, "config.json")), must[[]byte](t)(image.RawConfigFile()); string(got) != string(want) {
		t.Errorf("configuration\n%s\nwant\n%s", got, want)
	}
	digest := must[v1.Hash](t)(image.Digest()).String()
	for _, file := range []string{"digest", "image.digest"} {
		if got := string(harness.Read(t, s.external(t, repository, file))); got != digest {
			t.Errorf("%s is %q, want %q", file, got, digest)
		}
	}
	for n, layer := range manifest.Layers {
		extension := map[types.MediaType]string{types.OCIUncompressedLayer: ".tar", types.OCILayerZStd: ".tar.zst"}[layer.MediaType]
		if extension == "" {
			extension = ".tar.gz"
		}
		path := s.external(t, repository, fmt.Sprintf("%03d", n))
		if got := harness.Digest(harness.Read(t, path+extension)); got != layer.Digest.String() {
			t.Errorf("layer %d is %s, want %s", n, got, layer.Digest)
		}
		if got := string(harness.Read(t, path+".sha256")); got != layer.Digest.Hex {
			t.Errorf("layer %d: its .sha256 holds %q", n, got)
		}
	}
}

func (s *suite) testByTag(t *testing.T) {
	r := s.bazel.Must(t, "build", "@by_tag//image")
	s.checkPulled(t, "by_tag", s.base)
	for _, want := range []string{
		fmt.Sprintf("digest = %q", must[v1.Hash](t)(s.base.Digest())),
		"Successfully pulled image",
		"plain HTTP, because of insecure_repository",
		"credentials travel unencrypted",
	} {
		if !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in\n%s", want, r)
		}
	}
	s.checkSecret(t, r)
}

func (s *suite) checkSecret(t *testing.T, r harness.Result) {
	t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + registries.Password))
	if strings.Contains(r.Output(), registries.Password) || strings.Contains(r.Output(), login) {
		t.Errorf("the password is printed: %s", r)
	}
}

func (s *suite) testByDigest(t *testing.T) {
	// The same image under another name: its blobs are here already.
	s.bazel.Must(t, "build", "@by_tag//image")
	before := s.guarded.Downloads()
	r := s.bazel.Must(t, "build", "@by_digest//image")
	s.checkPulled(t, "by_digest", s.base)
	for path, n := range s.guarded.Downloads() {
		if n > before[path] {
			t.Errorf("%s is downloaded again", path)
		}
	}
	if strings.Contains(r.Output(), "may change") {
		t.Errorf("it asks to pin what is pinned: %s", r)
	}
}

func (s *suite) testByIndexDigest(t *testing.T) {
	s.bazel.Must(t, "build", "@by_index_digest//image")
	s.checkPulled(t, "by_index_digest", s.arm)
}

func (s *suite) testTargets(t *testing.T) {
	s.bazel.Must(t, "build", "@by_tag//image:image.tar", "@by_tag//image:digest", "@by_tag//image:image.digest",
		"@by_tag//image:manifest.json", "@by_tag//image:config.json")
	r := s.bazel.Must(t, "query", "--output=build", "@by_tag//image")
	if !strings.Contains(r.Stdout, `tags = ["manual"]`) {
		t.Errorf("import_tags are not there: %s", r)
	}
	if r = s.bazel.Must(t, "query", "--output=build", "@by_digest//image"); strings.Contains(r.Stdout, "tags =") {
		t.Errorf("tags that nobody gave: %s", r)
	}
}

func (s *suite) testClientConfig(t *testing.T) {
	lost := s.bazel.With("DOCKER_CONFIG=" + filepath.Join(s.root, "nowhere"))
	for _, repository := range []string{"client_config", "client_config_dir", "cred_helpers"} {
		lost.Must(t, "build", "@"+repository+"//image")
		s.checkPulled(t, repository, s.base)
	}
	r := lost.Run(t, "build", "@by_tag//image")
	if r.Code == 0 || !strings.Contains(r.Output(), "docker login") || !strings.Contains(r.Output(), "nowhere") {
		t.Errorf("without credentials: %s", r)
	}
}

func (s *suite) testPushOnTop(t *testing.T) {
	s.bazel.Must(t, "build", "//app:push", "//app:push-base")
	for _, tc := range []struct{ target, repository string }{{"push", "team/app"}, {"push-base", "team/copy"}} {
		t.Run(tc.target, func(t *testing.T) {
			before, requests := s.guarded.Sent(), len(s.guarded.Requests())
			r := s.bazel.Must(t, "run", "//app:"+tc.target)
			s.checkSecret(t, r)
			// A layer of its own, configuration and manifest at most.
			if sent := s.guarded.Sent() - before; sent > 32<<10 {
				t.Errorf("%d bytes were sent: %q", sent, s.guarded.Requests()[requests:])
			}
			base := must[*v1.Manifest](t)(s.base.Manifest())
			pushed := must[*v1.Manifest](t)(fetch(t, s.guarded.Addr()+"/"+tc.repository+":v1").Manifest())
			for n, layer := range base.Layers {
				if got := pushed.Layers[n]; got.Digest != layer.Digest || got.MediaType != layer.MediaType {
					t.Errorf("layer %d is %s (%s), the base's %s (%s)", n, got.Digest, got.MediaType, layer.Digest, layer.MediaType)
				}
			}
		})
	}
	if got := must[v1.Hash](t)(fetch(t, s.guarded.Addr()+"/team/copy:v1").Digest()); got != must[v1.Hash](t)(s.base.Digest()) {
		t.Errorf("an image that was pulled and pushed has digest %s, had %s", got, must[v1.Hash](t)(s.base.Digest()))
	}
}

func (s *suite) testForeign(t *testing.T) {
	s.bazel.Must(t, "build", "@windows//image", "@windows//image:image.tar")
	s.bazel.Must(t, "run", "//app:push-windows")
	pushed := must[*v1.Manifest](t)(fetch(t, s.open.Addr()+"/team/windows-app:v1").Manifest())
	if layer := pushed.Layers[0]; layer.MediaType != types.DockerForeignLayer || layer.Digest != s.foreign || len(layer.URLs) != 1 {
		t.Errorf("the foreign layer became %+v", layer)
	}
	if len(pushed.Layers) != 3 {
		t.Errorf("%d layers, want the base's 2 and one more", len(pushed.Layers))
	}
}

func (s *suite) testFailures(t *testing.T) {
	for _, tc := range []struct {
		repository string
		want       []string
	}{
		{"strict", []string{"Pull command failed: ", "server gave HTTP response to HTTPS client", "insecure_repository = True",
			`container_pull(name = "strict")`, "-directory"}},
		{"no_platform", []string{"Pull command failed: ", "no image for the platform linux/s390x; there are: linux/amd64, linux/arm64"}},
		{"no_tag", []string{"Pull command failed: ", "there is no v9 in repository team/base"}},
		{"no_digest", []string{"Pull command failed: ", "there is no", "sha256:1111"}},
		{"no_login", []string{`container_pull(name = "no_login"): registry is written without user and password`, "docker login"}},
	} {
		t.Run(tc.repository, func(t *testing.T) {
			r := s.bazel.Run(t, "build", "@"+tc.repository+"//image")
			if r.Code == 0 {
				t.Errorf("it succeeds: %s", r)
			}
			for _, want := range tc.want {
				if !strings.Contains(r.Output(), want) {
					t.Errorf("no %q in\n%s", want, r)
				}
			}
			s.checkSecret(t, r)
		})
	}
	unknown := s.bazel.With("RULES_DOCKER_IMAGETOOL=" + filepath.Join(s.root, "none"))
	if r := unknown.Run(t, "build", "@saved//image"); r.Code == 0 || !strings.Contains(r.Output(), "RULES_DOCKER_IMAGETOOL") {
		t.Errorf("a program that is not there: %s", r)
	}
}

func (s *suite) testLoad(t *testing.T) {
	s.bazel.Must(t, "build", "@saved//image", "@saved//image:image.tar", "@saved//image:digest", "@saved_xz//image")
	config := must[*v1.ConfigFile](t)(s.saved.ConfigFile())
	for _, repository := range []string{"saved", "saved_xz"} {
		manifest, err := v1.ParseManifest(strings.NewReader(string(harness.Read(t, s.external(t, repository, "manifest.json")))))
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Layers) != len(config.RootFS.DiffIDs) {
			t.Errorf("%s: %d layers, want %d", repository, len(manifest.Layers), len(config.RootFS.DiffIDs))
		}
		for n, id := range config.RootFS.DiffIDs {
			plain := harness.Uncompress(t, harness.Read(t, s.external(t, repository, fmt.Sprintf("%03d.tar.gz", n))))
			if got := harness.Digest(plain); got != id.String() {
				t.Errorf("%s: layer %d unpacks to %s, want %s", repository, n, got, id)
			}
		}
		digest := harness.Digest(harness.Read(t, s.external(t, repository, "manifest.json")))
		if got := string(harness.Read(t, s.external(t, repository, "digest"))); got != digest {
			t.Errorf("%s: digest %s, want %s", repository, got, digest)
		}
	}
}

func (s *suite) testCache(t *testing.T) {
	cached := s.bazel.With("DOCKER_REPO_CACHE=" + filepath.Join(s.root, "cache"))
	before := s.guarded.Downloads()
	cached.Must(t, "build", "@by_tag//image", "@by_digest//image", "@client_config//image")
	s.checkPulled(t, "by_digest", s.base)
	fetched := 0
	for path, n := range s.guarded.Downloads() {
		switch n - before[path] {
		case 0:
		case 1:
			fetched++
		default:
			t.Errorf("%s is downloaded %d times", path, n-before[path])
		}
	}
	if fetched != 4 {
		t.Errorf("%d blobs are downloaded, want 3 layers and a configuration", fetched)
	}
}
