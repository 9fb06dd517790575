package dropin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// bazelNeeds is what Debian's launcher of Bazel calls; other launchers call less.
// Nothing of it is called by a build or a push.
func bazelNeeds() []string {
	return []string{"basename", "dirname", "find", "javac", "readlink", "sort", "tail", "tr", "uname"}
}

// The same sources give the same bytes in another folder, with another output root,
// one job at a time, and on a machine that has Bazel and nothing else.
func (s *suite) testElsewhereTheSame(t *testing.T) {
	targets := []string{"//cmd:image", "//attributes:image", "//attributes:folder", "//many:image"}
	var outputs []string
	for _, target := range targets {
		outputs = append(outputs, target+".digest", target+"-layer.tar")
	}
	s.bazel.Must(t, "build", append(outputs, level)...)

	bare := filepath.Join(s.root, "bare")
	if err := os.Mkdir(bare, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range bazelNeeds() {
		path, err := exec.LookPath(name)
		if err != nil {
			continue // this launcher does without
		}
		if err := os.Symlink(path, filepath.Join(bare, name)); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(s.root, "elsewhere", "another-checkout")
	s.makeWorkspace(t, dir)
	other := s.cell.NewBazel(t, dir, filepath.Join(s.root, "bazel-elsewhere"), s.home)
	other.Env = []string{"PATH=" + bare, "HOME=" + s.home, workspace.NoSystem(s.home), "JAVA_HOME=" + os.Getenv("JAVA_HOME")}
	if os.Getenv("JAVA_HOME") == "" {
		other.Env = other.Env[:3]
	}

	other.Must(t, "build", append(outputs, level, "--jobs=1")...)
	for _, output := range outputs {
		file := strings.Replace(strings.TrimPrefix(output, "//"), ":", "/", 1)
		checkSameFile(t, s.bazel.Bin(file), other.Bin(file))
	}
	r := other.Must(t, "run", "--define=IMAGE_TAG=elsewhere", "//cmd:image-push")
	digest := string(harness.Read(t, s.bazel.Bin("cmd/image.digest")))
	if want := "Successfully pushed Docker image to " + s.ref("team/app:elsewhere") + " - " + s.ref("team/app@") + digest; !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
}
