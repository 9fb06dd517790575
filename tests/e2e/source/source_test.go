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

type suite struct {
	root      string
	workspace string
	bazel     *harness.Bazel
	registry  *registries.Server
	base      string // digest of the image that is pulled
}

// TestSource has one cell: compiling takes longer than all else, and what later versions make the rule is for rules_go
// and gazelle to follow.
func TestSource(t *testing.T) {
	for _, c := range harness.Cells() {
		if c.Bzlmod && !c.Ahead {
			t.Run(c.String(), func(t *testing.T) { newSuite(t, c).test(t) })
		}
	}
}

func (s *suite) test(t *testing.T) {
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	s.use(t, release)
	want := s.build(t, "prebuilt")

	s.use(t, withoutPrograms(t, release, filepath.Join(s.root, "sources.tar.gz")))
	if r := s.bazel.Run(t, "build", "//app:image"); r.Code == 0 {
		t.Fatalf("the archive still holds a program: %s", r)
	}
	program := s.program(t)
	got := s.build(t, "source", "--config=source", "--repo_env=RULES_DOCKER_IMAGETOOL="+program)
	if !maps.Equal(got, want) {
		t.Errorf("built by the program from source: %v\nby the prebuilt one: %v", got, want)
	}
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{root: root, workspace: filepath.Join(root, "workspace")}
	var err error
	if s.registry, err = registries.Memory(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.registry.Close(); err != nil {
			t.Error(err)
		}
	})
	image, err := crane.Image(map[string][]byte{"base.txt": []byte("base\n")})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(s.registry.Addr()+"/team/base:v1", name.Insecure)
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
	s.base = digest.String()
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), filepath.Join(root, "home"))
	return s
}

// use makes the workspace use an archive.
func (s *suite) use(t *testing.T, release workspace.Release) {
	t.Helper()
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.registry.Addr()
	replacements["%BASE_DIGEST%"] = s.base
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
	s.bazel.Must(t, "build", "--config=source", target)
	file := strings.TrimSpace(s.bazel.Must(t, "cquery", "--config=source", "--output=files", target).Stdout)
	harness.Write(t, s.root, "imagetool", harness.Read(t, filepath.Join(s.workspace, file)), 0o755)
	return filepath.Join(s.root, "imagetool")
}

// build builds and pushes the images, and returns the sums of all files that were made for them, and the digests that the
// registry has, by name.
func (s *suite) build(t *testing.T, tag string, flags ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	s.bazel.Must(t, "build", append(flags, "//app:all", "//app:image.tar", "//app:image.digest")...)
	err := filepath.WalkDir(s.bazel.Bin("app")+"/", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasSuffix(path, ".runfiles"):
			return filepath.SkipDir
		case !d.Type().IsRegular(): // links to the program
			return nil
		case strings.HasSuffix(path, ".repo_mapping"), strings.HasSuffix(path, ".runfiles_manifest"): // Bazel's, with paths of the program
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
		ref := s.registry.Addr() + "/team/" + tag + ":" + format
		args := append([]string(nil), flags...)
		s.bazel.Must(t, "run", append(args, "//app:push_"+format, "--", "-dst="+ref)...)
		image := harness.Pull(t, ref)
		if h := image.Config.History[len(image.Config.History)-1].CreatedBy; h != "bazel build //app:image" {
			t.Errorf("the history says %q", h)
		}
		found["pushed as "+format] = image.Digest.String()
	}
	return found
}
