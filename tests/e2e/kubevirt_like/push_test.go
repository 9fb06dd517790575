package kubevirtlike

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// imagePrefix is before the name of every image that is pushed by itself.
const imagePrefix = "vm-"

func (s *suite) testPush(t *testing.T) {
	for _, architecture := range architectures() {
		t.Run(architecture, func(t *testing.T) {
			tag := "v1-" + architecture
			for _, want := range s.images(t, architecture) {
				target := "push-" + want.name
				r := s.bazel.Must(t, "run", with(flags(architecture, s.prefix(s.open), imagePrefix, tag), "//:"+target)...)
				repository := s.prefix(s.open) + "/" + imagePrefix + want.name
				digest := string(harness.Read(t, s.bazel.Bin(target+".digest")))
				said := fmt.Sprintf("Successfully pushed Docker image to %s:%s - %s@%s", repository, tag, repository, digest)
				if !strings.Contains(r.Output(), said) {
					t.Errorf("no %q in %s", said, r)
				}
				image := s.pulled(t, repository+":"+tag, want, architecture)
				if image.Digest.String() != digest {
					t.Errorf("%s.digest is %q, the registry has %s", target, digest, image.Digest)
				}
				s.configs[want.name+"-"+architecture] = image.Manifest.Config.Digest.String()
				s.digests[want.name+"-"+architecture] = digest
			}
			s.checkPusher(t)
			s.collect(t, architecture)
		})
	}
}

// checkPusher checks that what pushes is for this machine, whatever the image is for.
func (s *suite) checkPusher(t *testing.T) {
	t.Helper()
	machines := map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
	}
	program, err := elf.Open(s.bazel.Bin("push-controller"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if want := machines[runtime.GOARCH]; program.Machine != want {
		t.Errorf("the pusher is for %v, this machine is %v", program.Machine, want)
	}
}

// collect runs the project's script that keeps the digests of an architecture.
func (s *suite) collect(t *testing.T, architecture string) {
	t.Helper()
	r := harness.Run(t, s.workspace, s.bazel.Env, "bash", "hack/collect-digests.sh", "digests/"+architecture)
	if r.Code != 0 {
		t.Fatal(r)
	}
	pushes := map[string]string{}
	err := filepath.WalkDir(filepath.Join(s.workspace, "digests", architecture), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "push-") {
			pushes[d.Name()] = string(harness.Read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range s.images(t, architecture) {
		if got := pushes["push-"+want.name+".digest"]; got != s.digests[want.name+"-"+architecture] {
			t.Errorf("the script finds %q as the digest of %s", got, want.name)
		}
	}
}

// testManifestLists is the last step of a release: by the digests that the pushes left,
// a script puts the images for each architecture under one name.
func (s *suite) testManifestLists(t *testing.T) {
	prefix := s.prefix(s.open) + "/" + imagePrefix
	args := []string{"hack/push-manifest-lists.sh", prefix, "v1"}
	for _, image := range s.images(t, "amd64") {
		args = append(args, image.name)
	}
	r := harness.Run(t, s.workspace, s.bazel.With("CRANE="+s.crane).Env, "bash", args...)
	if r.Code != 0 {
		t.Fatal(r)
	}
	for _, image := range s.images(t, "amd64") {
		ref := prefix + image.name + ":v1"
		index, err := v1.ParseIndexManifest(strings.NewReader(s.runCrane(t, "manifest", ref)))
		if err != nil {
			t.Fatal(err)
		}
		if len(index.Manifests) != 2 {
			t.Errorf("%s lists %d images", ref, len(index.Manifests))
		}
		for i, architecture := range architectures() {
			entry := index.Manifests[i]
			if entry.Digest.String() != s.digests[image.name+"-"+architecture] || entry.Platform.Architecture != architecture {
				t.Errorf("%s lists %s for %v", ref, entry.Digest, entry.Platform)
			}
		}
	}
	// What a machine of another kind gets.
	out := harness.Skopeo(t, "inspect", "--tls-verify=false", "--override-arch=arm64", "--format={{.Architecture}}", "docker://"+prefix+"agent:v1")
	if got := strings.TrimSpace(string(out)); got != "arm64" {
		t.Errorf("a machine with arm64 gets an image for %s", got)
	}
}

// testReproducible builds at two times, under two labels, with --stamp from .bazelrc.
func (s *suite) testReproducible(t *testing.T) {
	var targets []string
	for _, image := range s.images(t, "amd64") {
		targets = append(targets, "//:push-"+image.name)
	}
	var stamps []string
	for _, epoch := range []string{"1000000000", "2000000000"} {
		s.bazel.With("SOURCE_DATE_EPOCH="+epoch).Must(t, "build",
			with(flags("amd64", s.prefix(s.open), imagePrefix, "v1"), append(targets, "--embed_label="+epoch)...)...)
		for _, image := range s.images(t, "amd64") {
			if got := string(harness.Read(t, s.bazel.Bin("push-"+image.name+".digest"))); got != s.digests[image.name+"-amd64"] {
				t.Errorf("at %s, %s has digest %s, before %s", epoch, image.name, got, s.digests[image.name+"-amd64"])
			}
		}
		for _, status := range []string{"stable-status.txt", "volatile-status.txt"} {
			stamps = append(stamps, string(harness.Read(t, filepath.Join(s.workspace, "bazel-out", status))))
		}
	}
	if stamps[0] == stamps[2] || stamps[1] == stamps[3] {
		t.Errorf("the builds were not stamped differently: %q", stamps)
	}
}

// testOverrides looks for the repositories that the WORKSPACE defines before the macros
// that would define them.
func (s *suite) testOverrides(t *testing.T) {
	if s.cell.Bzlmod {
		return // a module's repositories are nobody else's
	}
	s.bazel.Must(t, "build", "@com_github_google_go_containerregistry//:own")
	if r := s.bazel.Must(t, "query", "--output=build", "//external:go_image_base"); !strings.Contains(r.Stdout, s.guarded.Addr()) {
		t.Errorf("@go_image_base is not the one of the WORKSPACE: %s", r)
	}
}
