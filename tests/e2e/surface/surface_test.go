// Package surface proves the rules beside the four of every build (for those see
// drop_in): bundles, their pushes and loading, flattened images, docker-save archives
// as images, and what //contrib has. Like drop_in it runs Bazel with the release
// archive in a copy of this workspace.
package surface

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// suite is what the tests share: a Bazel server takes seconds to start.
type suite struct {
	root      string // directory of everything that the tests make
	home      string // HOME of what Bazel runs
	workspace string // the copy of the workspace
	bazel     *harness.Bazel
	registry  *registries.Distribution // 127.0.0.2:5000 in BUILD files
	guarded   *registries.Distribution // 127.0.0.2:5001, wants a password
}

func TestSurface(t *testing.T) {
	harness.EachCross(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c)
		t.Run("BundleTar", s.testBundleTar)
		t.Run("BundleEmptyNames", s.testBundleEmptyNames)
		t.Run("BundleLoad", s.testBundleLoad)
		t.Run("DockerLoad", s.testDockerLoad)
		t.Run("Compression", s.testCompression)
		t.Run("PushAll", s.testPushAll)
		t.Run("PushAllFails", s.testPushAllFails)
		t.Run("PushAllStamped", s.testPushAllStamped)
		t.Run("Mixed", s.testMixed)
		t.Run("Flatten", s.testFlatten)
		t.Run("Saved", s.testSaved)
		t.Run("DockerConfig", s.testDockerConfig)
		t.Run("NotSaved", s.testNotSaved)
		t.Run("Accounts", s.testAccounts)
		t.Run("Names", s.testNames)
		t.Run("Checks", s.testChecks)
	})
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{root: root, home: filepath.Join(root, "home"), workspace: filepath.Join(root, "workspace")}
	if err := os.Mkdir(s.home, 0o755); err != nil {
		t.Fatal(err)
	}
	s.registry = start(t, filepath.Join(root, "registry"))
	s.guarded = start(t, filepath.Join(root, "guarded"), registries.Protected())
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.registry.Addr()
	replacements["127.0.0.2:5001"] = s.guarded.Addr()
	if err := workspace.Copy(s.workspace, ".", replacements); err != nil {
		t.Fatal(err)
	}
	login := base64.StdEncoding.EncodeToString([]byte(registries.User + ":" + registries.Password))
	harness.Write(t, s.workspace, "docker/config.json", fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, s.guarded.Addr(), login), 0o600)
	writeSaved(t, filepath.Join(s.workspace, "saved"))
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), s.home)
	return s
}

func start(t *testing.T, dir string, opts ...registries.Option) *registries.Distribution {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := registries.StartDistribution(context.Background(), dir, opts...)
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

// ref is a reference on the registry.
func (s *suite) ref(name string) string { return s.registry.Addr() + "/" + name }

// names gives the bundle's images their names.
func (s *suite) names(tag string) []string {
	return []string{"--define=PREFIX=" + s.registry.Addr(), "--define=TAG=" + tag}
}

// with is a command line of a target with names.
func with(target string, flags ...string) []string { return append(flags, target) }
