// Package bzlmod proves what a user of MODULE.bazel gets: the rules as a module, by
// an archive_override and from a registry, images pulled by the module extension,
// and a lockfile that stays as it is.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL_7 the
// launcher of Bazel 7. Besides, skopeo must be on PATH.
package bzlmod

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// suite is what the tests share: a Bazel server takes seconds to start.
type suite struct {
	cell      harness.Cell
	root      string
	home      string
	workspace string
	bazel     *harness.Bazel
	registry  *registries.Server // 127.0.0.2:5000 in the workspace
	flags     []string           // that say where modules come from
}

func TestBzlmod(t *testing.T) {
	harness.EachBzlmod(t, func(t *testing.T, c harness.Cell) {
		t.Run("ArchiveOverride", func(t *testing.T) { newSuite(t, c).test(t) })
		t.Run("Registry", func(t *testing.T) {
			s := newSuite(t, c)
			s.useRegistry(t)
			s.test(t)
		})
	})
}

func (s *suite) test(t *testing.T) {
	t.Run("Push", s.testPush)
	t.Run("Messages", s.testMessages)
	t.Run("ToolchainConfigure", s.testToolchainConfigure)
	t.Run("Lockfile", s.testLockfile)
	t.Run("Tidy", s.testTidy)
	t.Run("Presubmit", s.testPresubmit)
	t.Run("Conflict", s.testConflict) // spoils the workspace, so it comes last
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{cell: c, root: root, home: filepath.Join(root, "home"), workspace: filepath.Join(root, "workspace")}
	var err error
	if s.registry, err = registries.Memory(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.registry.Close(); err != nil {
			t.Error(err)
		}
	})
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.registry.Addr()
	image := baseImage(t)
	replacements["%BASE_DIGEST%"] = s.publish(t, "team/base:v1", image).String()
	if err := workspace.Copy(s.workspace, ".", replacements); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("saved:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(filepath.Join(s.workspace, "saved.tar"), tag, image); err != nil {
		t.Fatal(err)
	}
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), s.home)
	return s
}

// baseImage has one layer of one file.
func baseImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := crane.Image(map[string][]byte{"base.txt": []byte("base\n")})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func (s *suite) publish(t *testing.T, repository string, image v1.Image) v1.Hash {
	t.Helper()
	ref, err := name.ParseReference(s.registry.Addr()+"/"+repository, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func (s *suite) testPush(t *testing.T) {
	for _, base := range []string{"base", "by_tag", "library", "saved"} {
		t.Run(base, func(t *testing.T) {
			r := s.bazel.Must(t, "run", append(s.flags, "//app:push_"+base)...)
			ref := s.registry.Addr() + "/team/" + base + ":v1"
			if want := "Successfully pushed Docker image to " + ref; !strings.Contains(r.Output(), want) {
				t.Errorf("no %q in %s", want, r)
			}
			image := harness.Pull(t, ref)
			last := image.Layers[len(image.Layers)-1]
			got, want := last[len(last)-1], harness.Read(t, filepath.Join("app", "app.txt"))
			if got.Name != "app.txt" || got.Type != tar.TypeReg || got.Content != string(want) {
				t.Errorf("the last layer holds %v", last)
			}
			if first := image.Layers[0][0]; first.Name != "base.txt" {
				t.Errorf("the first layer holds %v", image.Layers[0])
			}
			if h := image.Config.History[len(image.Config.History)-1].CreatedBy; h != "bazel build //app:on_"+base {
				t.Errorf("the history says %q", h)
			}
		})
	}
}

// A label in a message is one that can be typed.
func (s *suite) testMessages(t *testing.T) {
	for _, tc := range []struct{ target, says string }{
		{"//app:push_strict", "ERROR: //app:push_strict: "},
		{"@library//:push", "ERROR: @@library"},
	} {
		r := s.bazel.Run(t, "run", append(s.flags, tc.target)...)
		if r.Code == 0 || !strings.Contains(r.Output(), tc.says) {
			t.Errorf("no %q in %s", tc.says, r)
		}
	}
}

// The settings of the tag reach what is run.
func (s *suite) testToolchainConfigure(t *testing.T) {
	s.bazel.Must(t, "run", append(s.flags, "--script_path="+filepath.Join(s.root, "load"), "//app:on_base")...)
	if plan := string(harness.Read(t, s.bazel.Bin("app/on_base.executable.load.json"))); !strings.Contains(plan, `"--log-level=error"`) {
		t.Errorf("the plan is %s", plan)
	}
}

// The extension knows what use_repo has to name, so that "bazel mod tidy" could write
// it. That command needs buildozer, which is not everywhere; Bazel warns all the same.
func (s *suite) testTidy(t *testing.T) {
	file := filepath.Join(s.workspace, "MODULE.bazel")
	whole := harness.Read(t, file)
	less := strings.Replace(string(whole), `"by_tag", "saved")`, `"by_tag")`, 1)
	harness.Write(t, s.workspace, "MODULE.bazel", []byte(less), 0o644)
	defer harness.Write(t, s.workspace, "MODULE.bazel", whole, 0o644)
	r := s.bazel.Run(t, "build", append(s.flags, "@by_tag//image")...)
	if r.Code != 0 || less == string(whole) || !strings.Contains(r.Output(), "saved") {
		t.Errorf("no hint at the missing repository in %s", r)
	}
}

// What the Bazel Central Registry asks for can be built.
func (s *suite) testPresubmit(t *testing.T) {
	presubmit := harness.Read(t, filepath.Join("..", "..", "..", ".bcr", "presubmit.yml"))
	for _, target := range []string{"//stamp:all", "//toolchains/programs:host"} {
		if !bytes.Contains(presubmit, []byte(`"@rules_docker_for_insecure_registries`+target+`"`)) {
			t.Errorf("it does not ask for %s", target)
		}
		s.bazel.Must(t, "build", append(s.flags, "@io_bazel_rules_docker"+target)...)
	}
}

// Two modules cannot mean different images by one name.
func (s *suite) testConflict(t *testing.T) {
	file := filepath.Join(s.workspace, "library", "MODULE.bazel")
	changed := strings.Replace(string(harness.Read(t, file)), "team/base", "team/other", 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	r := s.bazel.Run(t, "build", append(s.flags, "//app:on_base")...)
	for _, want := range []string{"module app", "module library", `name = "base"`, "another name"} {
		if r.Code == 0 || !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
}
