package dropin

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// machines are the ELF machines of what this test can run on.
func machines() map[string]elf.Machine {
	return map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
	}
}

// A push is for the machine that runs Bazel, whatever the image is for.
func (s *suite) testPlatforms(t *testing.T) {
	other := "--platforms=//platforms:linux_arm64"
	r := s.bazel.Must(t, "run", other, "--define=IMAGE_TAG=cross", "//cmd:image-push")
	if want := "Successfully pushed Docker image to " + s.ref("team/app:cross"); !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
	program, err := elf.Open(s.bazel.Bin("cmd/image-push"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if want := machines()[runtime.GOARCH]; program.Machine != want {
		t.Errorf("the pusher is for %v, the host is %v", program.Machine, want)
	}
	digest := string(harness.Read(t, s.bazel.Bin("cmd/image-push.digest")))
	if got := harness.InspectedDigest(t, s.ref("team/app:cross")); got != digest {
		t.Errorf("image-push.digest is %q, the registry has %q", digest, got)
	}
}

// What bazel run starts can be started without it, from any folder.
func (s *suite) testWithoutBazel(t *testing.T) {
	s.bazel.Must(t, "build", "--define=IMAGE_TAG=alone", "//cmd:image-push")
	r := harness.Run(t, s.root, []string{"HOME=" + s.home, workspace.NoSystem(s.home)}, s.bazel.Bin("cmd/image-push"))
	if want := "Successfully pushed Docker image to " + s.ref("team/app:alone"); r.Code != 0 || !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
	s.checkHello(t, harness.Pull(t, s.ref("team/app:alone")))
}

// Neither building nor pushing runs a script.
func (s *suite) testNoScripts(t *testing.T) {
	s.bazel.Must(t, "build", imageTag, "//cmd:image-push")
	program, err := elf.Open(s.bazel.Bin("cmd/image-push"))
	if err != nil {
		t.Fatalf("the executable of container_push is no ELF program: %v", err)
	}
	defer program.Close()
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs libraries %q (%v), want a static program", libraries, err)
	}

	runfiles := 0
	err = filepath.WalkDir(s.bazel.Bin("cmd/image-push.runfiles"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "MANIFEST" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		runfiles++
		if bytes.HasPrefix(data, []byte("#!")) {
			t.Errorf("%s is a script", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if runfiles == 0 {
		t.Error("the push has no runfiles")
	}

	tools := 0
	for _, action := range s.bazel.Actions(t, imageTag, "deps(//cmd:image-push)") {
		if len(action.Arguments) == 0 {
			continue // FileWrite, Symlink and the like are Bazel's own
		}
		tools++
		if filepath.Base(action.Arguments[0]) != "imagetool" {
			t.Errorf("%s runs %q", action.Mnemonic, action.Arguments)
		}
	}
	if tools == 0 {
		t.Error("no action runs imagetool")
	}
}

// repository finds the repository of a label in the output of a query.
var repository = regexp.MustCompile(`(?m)^@([^/]+)//`)

// Other than rules_docker, a push needs neither Go nor Python rules.
func (s *suite) testNoRulesRepositories(t *testing.T) {
	const own = "io_bazel_rules_docker"
	known := []string{own, "docker_config", "bazel_tools", "platforms", "local_config_platform"}
	for _, args := range [][]string{
		{"deps(//cmd:image-push)"},
		{"--output=package", "deps(//cmd:image-push)"},
		{"buildfiles(deps(//cmd:image-push))"},
		{"loadfiles(deps(//cmd:image-push))"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			out := s.bazel.Must(t, "query", args...).Stdout
			if !strings.Contains(out, "@"+own+"//") {
				t.Errorf("no @%s in %s", own, out)
			}
			for _, m := range repository.FindAllStringSubmatch(out, -1) {
				// With Bzlmod, the name that an extension gave is the end of the repository's own.
				if name := m[1][strings.LastIndexAny(m[1], "~+")+1:]; !slices.Contains(known, name) {
					t.Errorf("it depends on @%s", m[1])
				}
			}
		})
	}
}
