package dropin

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Actions run the program for the platform that they run on, and what bazel run starts
// is the one for the machine that runs Bazel; what is built for has no say in either.
func (s *suite) testPrograms(t *testing.T) {
	own := "linux_" + runtime.GOARCH
	for _, tc := range []struct {
		name              string
		flags             []string
		builder, launcher string // platform of the program
		extension         string // of the launcher
	}{
		{"target", []string{"--platforms=//platforms:linux_s390x"}, own, own, ""},
		{"execution", []string{"--extra_execution_platforms=//platforms:linux_s390x"}, "linux_s390x", own, ""},
		{"host", []string{"--host_platform=//platforms:linux_ppc64le", "--extra_execution_platforms=//platforms:linux_arm64"},
			"linux_arm64", "linux_ppc64le", ""},
		{"Windows", []string{"--host_platform=//platforms:windows_amd64"}, "windows_amd64", "windows_amd64", ".exe"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			actions := s.bazel.Actions(t, append(tc.flags, imageTag, `mnemonic("Container.*", deps(//cmd:image-push))`)...)
			if len(actions) == 0 {
				t.Error("nothing is built")
			}
			for _, action := range actions {
				if program := action.Arguments[0]; !strings.Contains(program, "/prebuilt/"+tc.builder+"/imagetool") {
					t.Errorf("%s runs %s, want the program for %s", action.Mnemonic, program, tc.builder)
				}
			}
			// The executable alone: no action runs a program that this machine cannot.
			s.bazel.Must(t, "build", append(tc.flags, imageTag, "--output_groups=exe", "//cmd:image-push")...)
			executable, err := filepath.EvalSymlinks(s.bazel.Bin("cmd/image-push" + tc.extension))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(executable, filepath.Join("prebuilt", tc.launcher, "imagetool"+tc.extension)) {
				t.Errorf("bazel run would start %s, want the program for %s", executable, tc.launcher)
			}
		})
	}
}

// Where a release has no program, it says which platform that is, and what to do; and
// doing it helps.
func (s *suite) testUnknownPlatform(t *testing.T) {
	for _, flag := range []string{"--host_platform", "--extra_execution_platforms"} {
		t.Run(flag, func(t *testing.T) {
			r := s.bazel.Run(t, "build", flag+"=//platforms:linux_riscv64", imageTag, "//cmd:image-push")
			if r.Code == 0 {
				t.Error("it succeeds")
			}
			for _, want := range []string{
				"no program for the platform //platforms:linux_riscv64",
				flag,
				"linux s390x",
				"docs/source.md",
				"toolchains/programs:imagetool=",
				"//cmd:image-push",
			} {
				if !strings.Contains(r.Output(), want) {
					t.Errorf("no %q in the message", want)
				}
			}
			if t.Failed() {
				t.Log(r)
			}
		})
	}
	// A program of the release that this machine can run stands for one from source.
	s.bazel.Must(t, "build", "--host_platform=//platforms:linux_riscv64", imageTag, "//cmd:image-push",
		"--@io_bazel_rules_docker//toolchains/programs:imagetool=@io_bazel_rules_docker//prebuilt:linux_"+runtime.GOARCH+"/imagetool")
	// What an image is for needs no program.
	s.bazel.Must(t, "build", "--platforms=//platforms:linux_riscv64", imageTag, "//cmd:image-push")
}
