// Package source proves what a user of the source toolchain gets: programs that Bazel compiles out of the release archive,
// none that came with it, and the same bytes from both.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL_7 the launcher of Bazel 7 and
// GO_RULES_BAZELRC a file with its settings for rules_go, as tests/setup/go_rules.sh makes it. Besides, skopeo and go must
// be on PATH.
package source

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// settingsVariable is the environment variable that names the settings for rules_go.
const settingsVariable = "GO_RULES_BAZELRC"

// bcr is the folder with what the Bazel Central Registry is told.
var bcr = filepath.Join("..", "..", "..", ".bcr")

type suite struct {
	cell      harness.Cell
	root      string
	workspace string
	bazel     *harness.Bazel
	images    images
	flags     []string // that say where modules come from
}

// images is where they are pulled from and pushed to.
type images struct {
	registry string // HOST:PORT
	base     string // digest of the image that is pulled
}

// TestSource has both modes of Bazel 7, without what later versions make the rule: that is for rules_go and gazelle to
// follow. What the prebuilt programs make is made once for both.
func TestSource(t *testing.T) {
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	sources := withoutPrograms(t, release, filepath.Join(harness.TempDir(t), "sources.tar.gz"))
	images := newImages(t)
	var want map[string]string
	for _, c := range harness.Cells() {
		if c.Bazel != "4.2.3" && !c.Ahead {
			t.Run(c.String(), func(t *testing.T) {
				s := newSuite(t, c, images)
				if want == nil {
					s.use(t, release)
					want = s.build(t, "prebuilt")
				}
				s.test(t, sources, want)
			})
		}
	}
}

// test compares what is built out of an archive without programs with what prebuilt ones have built.
func (s *suite) test(t *testing.T, sources workspace.Release, want map[string]string) {
	s.use(t, sources)
	if s.cell.Bzlmod {
		s.checkModule(t, sources)
	}
	if r := s.bazel.Run(t, "build", append(s.flags, "//app:image")...); r.Code == 0 {
		t.Fatalf("the archive still holds a program: %s", r)
	}
	program := s.program(t)
	got := s.build(t, "source", s.config(), "--repo_env=RULES_DOCKER_IMAGETOOL="+program)
	if !maps.Equal(got, want) {
		t.Errorf("built by the program from source: %v\nby the prebuilt one: %v", got, want)
	}
}

// config is the flag for the lines of .bazelrc that make Bazel compile the program.
func (s *suite) config() string {
	if s.cell.Bzlmod {
		return "--config=source-Bzlmod"
	}
	return "--config=source-WORKSPACE"
}

// checkModule loads the program by way of archive overrides, then makes the workspace take the modules from a registry,
// and analyses what the Bazel Central Registry is told to build.
func (s *suite) checkModule(t *testing.T, sources workspace.Release) {
	t.Helper()
	const target = "@rules_docker_for_insecure_registries_source//:imagetool"
	r := s.bazel.Must(t, "query", "deps("+target+", 1)")
	if want := "//container/go/cmd/imagetool:imagetool"; !strings.Contains(r.Stdout, want) {
		t.Errorf("no %s in %s", want, r)
	}

	s.flags = harness.Registry(t, filepath.Join(s.root, "modules"), bcr, sources)
	file := filepath.Join(s.workspace, "MODULE.bazel")
	harness.Write(t, s.workspace, "MODULE.bazel", harness.WithoutOverrides(t, harness.Read(t, file)), 0o644)
	presubmit := harness.Read(t, filepath.Join(bcr, "source", "presubmit.yml"))
	if !strings.Contains(string(presubmit), `"`+target+`"`) {
		t.Errorf("the Bazel Central Registry is not told to build %s", target)
	}
	s.bazel.Must(t, "build", append(s.flags, "--nobuild", target)...)
}

func newSuite(t *testing.T, c harness.Cell, images images) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{cell: c, root: root, workspace: filepath.Join(root, "workspace"), images: images}
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), filepath.Join(root, "home"))
	return s
}

// newImages starts a registry with an image of one layer of one file.
func newImages(t *testing.T) images {
	t.Helper()
	registry, err := registries.Memory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := registry.Close(); err != nil {
			t.Error(err)
		}
	})
	image, err := crane.Image(map[string][]byte{"base.txt": []byte("base\n")})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(registry.Addr()+"/team/base:v1", name.Insecure)
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
	return images{registry: registry.Addr(), base: digest.String()}
}

// use makes the workspace use an archive.
func (s *suite) use(t *testing.T, release workspace.Release) {
	t.Helper()
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.images.registry
	replacements["%BASE_DIGEST%"] = s.images.base
	if err := workspace.Copy(s.workspace, ".", replacements); err != nil {
		t.Fatal(err)
	}
	settings := os.Getenv(settingsVariable)
	if settings == "" {
		t.Fatalf("the environment variable %s must name the settings for rules_go; make e2e sets it to what tests/setup/go_rules.sh prints", settingsVariable)
	}
	rc := filepath.Join(s.workspace, ".bazelrc")
	harness.Write(t, s.workspace, ".bazelrc", append(harness.Read(t, rc), harness.Read(t, settings)...), 0o644)
}

// program builds the program for this machine and takes it out of Bazel's folders, for pulls to use.
func (s *suite) program(t *testing.T) string {
	t.Helper()
	const target = "@io_bazel_rules_docker//toolchains/programs:host"
	flags := append([]string{s.config()}, s.flags...)
	s.bazel.Must(t, "build", append(flags, target)...)
	file := strings.TrimSpace(s.bazel.Must(t, "cquery", append(flags, "--output=files", target)...).Stdout)
	harness.Write(t, s.root, "imagetool", harness.Read(t, filepath.Join(s.workspace, file)), 0o755)
	return filepath.Join(s.root, "imagetool")
}

// notByProgram are the endings of files that Bazel and the rules write themselves, with names of repositories in them,
// which are others in a WORKSPACE.
func notByProgram() []string {
	return []string{".repo_mapping", ".runfiles_manifest", ".spec.json", ".load.json", ".push.json"}
}

// build builds and pushes the images, and returns the sums of all files that the program made for them, and the digests that the
// registry has, by name.
func (s *suite) build(t *testing.T, tag string, flags ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	flags = slices.Concat(flags, s.flags)
	s.bazel.Must(t, "build", append(flags, "//app:all", "//app:image.tar", "//app:image.digest")...)
	err := filepath.WalkDir(s.bazel.Bin("app")+"/", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasSuffix(path, ".runfiles"):
			return filepath.SkipDir
		case !d.Type().IsRegular(): // links to the program
			return nil
		case slices.ContainsFunc(notByProgram(), func(suffix string) bool { return strings.HasSuffix(path, suffix) }):
			return nil
		}
		sum := sha256.Sum256(harness.Read(t, path))
		found[filepath.Base(path)] = hex.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"image.digest", "image.tar"} {
		if found[want] == "" {
			t.Errorf("no %s among %v", want, found)
		}
	}
	for _, format := range []string{"docker", "oci"} {
		ref := s.images.registry + "/" + strings.ToLower(s.cell.String()) + "/" + tag + ":" + format
		s.bazel.Must(t, "run", append(flags, "//app:push_"+format, "--", "-dst="+ref)...)
		image := harness.Pull(t, ref)
		if h := image.Config.History[len(image.Config.History)-1].CreatedBy; h != "bazel build //app:image" {
			t.Errorf("the history says %q", h)
		}
		found["pushed as "+format] = image.Digest.String()
	}
	return found
}
