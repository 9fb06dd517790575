// Package dropin proves what a user of the archived rules_docker gets who swaps one
// http_archive: this folder is the workspace, and Bazel builds and pushes it with
// the release archive, against real registries on plain HTTP.
//
// The environment variable RULES_DOCKER_ARCHIVE names the archive, BAZEL_4 and BAZEL_7
// the launchers of Bazel. Besides, docker-registry and skopeo must be on PATH.
package dropin

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// suite is what the tests share: a Bazel server takes seconds to start.
type suite struct {
	cell      harness.Cell
	root      string // directory of everything that the tests make
	home      string // HOME of what Bazel runs
	workspace string // the copy of the workspace
	bazel     *harness.Bazel
	open      *registries.Distribution // 127.0.0.2:5000 in BUILD files
	guarded   *registries.Distribution // 127.0.0.2:5001, wants a password
	stopped   string                   // 127.0.0.2:5002, nothing listens there
	broken    *registries.Server       // 127.0.0.2:5003, answers 500
	private   *registries.Server       // 127.0.0.2:5004, HTTPS with a certificate of its own
}

func TestDropIn(t *testing.T) {
	harness.EachEdge(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c)
		t.Run("Push", s.testPush)
		t.Run("PushStrict", s.testPushStrict)
		t.Run("PushSelfSigned", s.testPushSelfSigned)
		t.Run("PushUnchanged", s.testPushUnchanged)
		t.Run("Failures", s.testFailures)
		t.Run("Variables", s.testVariables)
		t.Run("Passwords", s.testPasswords)
		t.Run("Stamping", s.testStamping)
		t.Run("NameFiles", s.testNameFiles)
		t.Run("CommandLine", s.testCommandLine)
		t.Run("Attributes", s.testAttributes)
		t.Run("PredeclaredOutputs", s.testPredeclaredOutputs)
		t.Run("Entrypoints", s.testEntrypoints)
		t.Run("Folder", s.testFolder)
		t.Run("Platforms", s.testPlatforms)
		t.Run("Programs", s.testPrograms)
		t.Run("UnknownPlatform", s.testUnknownPlatform)
		t.Run("WithoutBazel", s.testWithoutBazel)
		t.Run("NoScripts", s.testNoScripts)
		t.Run("NoRulesRepositories", s.testNoRulesRepositories)
		t.Run("Hostile", s.testHostile)
		if !c.Ahead { // they are about large layers, and about machines and folders, and take long
			t.Run("TwoActions", s.testTwoActions)
			t.Run("ElsewhereTheSame", s.testElsewhereTheSame)
		}
	})
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{
		cell:      c,
		root:      root,
		home:      filepath.Join(root, "home"),
		workspace: filepath.Join(root, "workspace"),
	}
	if err := os.Mkdir(s.home, 0o755); err != nil {
		t.Fatal(err)
	}
	s.startRegistries(t)
	s.makeWorkspace(t, s.workspace)
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), s.home)
	return s
}

func (s *suite) startRegistries(t *testing.T) {
	t.Helper()
	distribution := func(name string, opts ...registries.Option) *registries.Distribution {
		dir := filepath.Join(s.root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		d, err := registries.StartDistribution(context.Background(), dir, opts...)
		if err != nil {
			t.Fatal(err)
		}
		closeAfter(t, d)
		return d
	}
	s.open = distribution("open")
	s.guarded = distribution("guarded", registries.Protected())
	var err error
	if s.stopped, err = registries.Stopped(); err != nil {
		t.Fatal(err)
	}
	if s.broken, err = registries.Failing(http.StatusInternalServerError); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s.broken)
	if s.private, err = registries.SelfSigned(); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s.private)
}

func closeAfter(t *testing.T, c interface{ Close() error }) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// makeWorkspace copies this folder to dst, with the registries that are running,
// and adds the files that are too many, too binary or too hostile to be kept in git.
func (s *suite) makeWorkspace(t *testing.T, dst string) {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.open.Addr()
	replacements["127.0.0.2:5001"] = s.guarded.Addr()
	replacements["127.0.0.2:5002"] = s.stopped
	replacements["127.0.0.2:5003"] = s.broken.Addr()
	replacements["127.0.0.2:5004"] = s.private.Addr()
	if err := workspace.Copy(dst, ".", replacements); err != nil {
		t.Fatal(err)
	}
	harness.BuildProgram(t, "cmd", filepath.Join(dst, "cmd", "hello"))
	writeBase(t, filepath.Join(dst, "attributes"))
	writeMany(t, filepath.Join(dst, "many", "files"))
	writeHostile(t, filepath.Join(dst, "hostile"))
}

// ref is a reference on the registry that needs no password.
func (s *suite) ref(name string) string { return s.open.Addr() + "/" + name }
