package kubevirtlike

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// site is what all cells share: the registries, all on plain HTTP, and the bases there.
type site struct {
	open    *registries.Distribution  // 127.0.0.2:5000 in the workspace
	guarded *registries.Distribution  // 127.0.0.2:5001, wants a password
	mirror  *registries.Distribution  // of open, which plays Docker Hub
	hub     string                    // where Docker Hub would be: nothing listens there
	crane   string                    // path of the program
	bases   map[string]v1.Image       // by NAME-ARCHITECTURE
	known   map[string]*harness.Image // what was pulled, by NAME-ARCHITECTURE@DIGEST
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{bases: map[string]v1.Image{}, known: map[string]*harness.Image{}}
	s.open = start(t)
	s.guarded = start(t, registries.Protected())
	s.mirror = start(t, registries.Mirrors(s.open.Addr()))
	var err error
	if s.hub, err = registries.Stopped(); err != nil {
		t.Fatal(err)
	}
	s.crane = harness.Program(t, "crane")

	for _, architecture := range architectures() {
		for base, ref := range map[string]string{
			"daemon": s.open.Addr() + "/team/daemon-base:" + architecture,
			"go":     s.guarded.Addr() + "/distroless/base:" + architecture,
			"system": s.open.Addr() + "/library/system:" + architecture,
		} {
			image := baseImage(t, base, architecture)
			if err := remote.Write(reference(t, ref), image, account()); err != nil {
				t.Fatal(err)
			}
			s.bases[base+"-"+architecture] = image
		}
	}
	return s
}

func start(t *testing.T, opts ...registries.Option) *registries.Distribution {
	t.Helper()
	d, err := registries.StartDistribution(context.Background(), harness.TempDir(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// registriesConf says everything about registries that the BUILD files do not. Without
// its mirror, nothing of Docker Hub can be reached.
func (s *site) registriesConf() string {
	return fmt.Sprintf(`
[[registry]]
prefix = "docker.io"
location = %q

[[registry.mirror]]
location = %q
insecure = true

[[registry]]
location = %q
insecure = true
`, s.hub, s.mirror.Addr(), s.guarded.Addr())
}

// replacements fills the WORKSPACE.
func (s *site) replacements(t *testing.T) map[string]string {
	t.Helper()
	filled := map[string]string{"127.0.0.2:5000": s.open.Addr(), "127.0.0.2:5001": s.guarded.Addr()}
	for key, image := range s.bases {
		filled["%"+strings.ToUpper(strings.Replace(key, "-", "_DIGEST_", 1))+"%"] = digestOf(t, image)
	}
	return filled
}

// baseImage has two layers, of which one has what is in every base.
func baseImage(t *testing.T, base, architecture string) v1.Image {
	t.Helper()
	image, err := mutate.AppendLayers(empty.Image,
		layer(t, "etc/os-release", "ID=system\n"),
		layer(t, "usr/share/"+base, architecture+"\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Config.Env = []string{"PATH=/usr/bin", "BASE=" + base}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	return image
}

func layer(t *testing.T, path, content string) v1.Layer {
	t.Helper()
	data := harness.Tar(t, harness.Member{
		Header: tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644}, Content: content,
	})
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func digestOf(t *testing.T, artifact interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	digest, err := artifact.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(text, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// account is for the registry that wants a password; the others do not mind.
func account() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: registries.User, Password: registries.Password})
}

// runCrane runs crane, which has to succeed, and returns what it prints.
func (s *site) runCrane(t *testing.T, args ...string) string {
	t.Helper()
	r := harness.Run(t, ".", []string{"HOME=" + filepath.Dir(s.crane)}, s.crane, append([]string{"--insecure"}, args...)...)
	if r.Code != 0 {
		t.Fatal(r)
	}
	return strings.TrimSpace(r.Stdout)
}
