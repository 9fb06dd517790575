package dropin

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

const (
	manyFiles = 10000
	manySize  = 4096 // bytes each
)

// writeMany writes the files of //many:image, the same ones every time.
func writeMany(t *testing.T, dir string) {
	t.Helper()
	var seed [32]byte
	random := rand.NewChaCha8(seed)
	content := make([]byte, manySize)
	for i := range manyFiles {
		for at := 0; at < manySize; at += 8 {
			binary.LittleEndian.PutUint64(content[at:], random.Uint64())
		}
		name := filepath.Join(dir, fmt.Sprintf("%02d", i/100), fmt.Sprintf("%02d.bin", i%100))
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// action returns the only action of a target with a mnemonic.
func (s *suite) action(t *testing.T, mnemonic, target string) harness.Action {
	t.Helper()
	actions := s.bazel.Actions(t, fmt.Sprintf("mnemonic(%q, deps(%s))", "^"+mnemonic+"$", target))
	if len(actions) != 1 {
		t.Fatalf("%s has %d actions %s, want 1", target, len(actions), mnemonic)
	}
	return actions[0]
}

func (s *suite) testTwoActions(t *testing.T) {
	layer := s.action(t, "ContainerLayer", "//many:image")
	image := s.action(t, "ContainerImage", "//many:image")

	// What a push, or an image on top, needs of it.
	checkStrings(t, "what makes the image", sorted(s.bazel.ExecutedMnemonics(t, "//many:image.digest")), "ContainerImage", "ContainerLayer")
	// The plain tar is made for who names the target itself, as docs/compatibility.md says.
	checkStrings(t, "what makes the default output", s.bazel.ExecutedMnemonics(t, "//many:image"), "ContainerDecompress")

	for _, threads := range []string{"GOMAXPROCS=1", "GOMAXPROCS=2", "GOMAXPROCS=7"} {
		built := s.bazel.RunAction(t, layer, []string{"spec"}, threads)
		if built.Code != 0 {
			t.Fatal(built.Result)
		}
		t.Logf("a layer of %d files of %d bytes, %s: %v, CPU %v, peak RSS %.1f MiB",
			manyFiles, manySize, threads, built.Wall, built.CPU, float64(built.PeakRSS)/(1<<20))
		s.checkOutputs(t, layer, built, "out", "metadata", "blob-sum", "diff-id")
	}
	described := s.bazel.RunAction(t, image, []string{"spec"})
	if described.Code != 0 {
		t.Fatal(described.Result)
	}
	t.Logf("its image: %v, peak RSS %.1f MiB", described.Wall, float64(described.PeakRSS)/(1<<20))
	s.checkOutputs(t, image, described, "config", "manifest", "oci-manifest", "digest")
}

// checkOutputs compares what the builder wrote with what it wrote under Bazel.
func (s *suite) checkOutputs(t *testing.T, action harness.Action, got harness.ActionRun, flags ...string) {
	t.Helper()
	root := s.bazel.ExecutionRoot(t)
	for _, flag := range flags {
		checkSameFile(t, filepath.Join(got.Outputs, flag), filepath.Join(root, action.Flag(flag)))
	}
}

func checkSameFile(t *testing.T, a, b string) {
	t.Helper()
	if !slices.Equal(harness.Read(t, a), harness.Read(t, b)) {
		t.Errorf("%s and %s differ", a, b)
	}
}
