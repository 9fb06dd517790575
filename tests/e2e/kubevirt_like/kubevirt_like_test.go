// Package kubevirtlike proves what a project gets that leans on rules_docker as KubeVirt
// did: its WORKSPACE, its BUILD files and the scripts around them go on working. The
// workspace is written by us; what it uses, and how, is what such a project uses.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL_4 and
// BAZEL_7 the launchers of Bazel. Besides, docker-registry, skopeo, podman and bash must
// be on PATH; crane is built by tests/setup/program.sh.
package kubevirtlike

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// architectures are those that every image is built for.
func architectures() []string { return []string{"amd64", "arm64"} }

// suite is what the tests of a cell share: a Bazel server takes seconds to start.
type suite struct {
	*site
	cell      harness.Cell
	home      string // HOME of what Bazel runs
	workspace string // the copy of the workspace
	bazel     *harness.Bazel
	digests   map[string]string // of what was pushed, by NAME-ARCHITECTURE
	configs   map[string]string // digests of their configurations
}

func TestKubevirtLike(t *testing.T) {
	shared := newSite(t)
	var first map[string]string
	harness.EachCell(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c, shared)
		t.Run("Push", s.testPush)
		t.Run("ManifestLists", s.testManifestLists)
		t.Run("Bundle", s.testBundle)
		t.Run("PushAll", s.testPushAll)
		t.Run("EmptyNames", s.testEmptyNames)
		t.Run("Reproducible", s.testReproducible)
		t.Run("Overrides", s.testOverrides)
		// Another Bazel, another output base, another time: the same images.
		if first == nil {
			first = s.digests
		}
		if !maps.Equal(s.digests, first) {
			t.Errorf("the digests are %q, another Bazel made %q", s.digests, first)
		}
	})
}

func newSuite(t *testing.T, c harness.Cell, shared *site) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{
		site: shared, cell: c, home: filepath.Join(root, "home"), workspace: filepath.Join(root, "workspace"),
		digests: map[string]string{}, configs: map[string]string{},
	}
	login := base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + registries.Password))
	harness.Write(t, s.home, ".docker/config.json", fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, s.guarded.Addr(), login), 0o600)
	harness.Write(t, root, "registries.conf", []byte(s.registriesConf()), 0o644)

	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	maps.Copy(replacements, s.replacements(t))
	if err := workspace.Copy(s.workspace, ".", replacements); err != nil {
		t.Fatal(err)
	}
	harness.BuildProgram(t, "build", filepath.Join(s.workspace, "build", "archive"))
	for _, architecture := range architectures() {
		harness.BuildProgram(t, "cmd", s.program(architecture), "GOOS=linux", "GOARCH="+architecture)
	}
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), s.home).
		With("CONTAINERS_REGISTRIES_CONF=" + filepath.Join(root, "registries.conf"))
	return s
}

// program is the file that the images for an architecture hold.
func (s *suite) program(architecture string) string {
	return filepath.Join(s.workspace, "cmd", "program-"+architecture)
}

// prefix is what such projects call a registry: with a path.
func (s *suite) prefix(registry interface{ Addr() string }) string {
	return registry.Addr() + "/" + strings.ToLower(s.cell.String())
}

// flags are those of a build for an architecture, for names that begin with prefix.
func flags(architecture, prefix, imagePrefix, tag string) []string {
	return []string{
		"--config=" + architecture,
		"--define=container_prefix=" + prefix, "--define=image_prefix=" + imagePrefix, "--define=container_tag=" + tag,
	}
}

// with is a command line of targets with flags.
func with(flags []string, targets ...string) []string { return slices.Concat(flags, targets) }
