package surface

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// bundled are the images of //bundle:bundle in its order.
func bundled() []string { return []string{"team/app", "team/app-again", "team/tool"} }

// tags lists what an archive names, in its order.
func tags(t *testing.T, archive string) []string {
	t.Helper()
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, image := range manifest {
		all = append(all, image.RepoTags...)
	}
	return all
}

func (s *suite) testBundleTar(t *testing.T) {
	s.bazel.Must(t, "build", with("//bundle:bundle.tar", s.names("v1")...)...)
	archive := s.bazel.Bin("bundle/bundle.tar")
	var want []string
	for _, name := range bundled() {
		want = append(want, s.ref(name+":v1"))
	}
	got := tags(t, archive)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("bundle.tar has %q, want %q", got, want)
	}
	for _, ref := range want {
		config := harness.Skopeo(t, "inspect", "--config", "--raw", "docker-archive:"+archive+":"+ref)
		target := "app"
		if strings.Contains(ref, "tool") {
			target = "tool"
		}
		s.bazel.Must(t, "build", with("//bundle:"+target+".json", s.names("v1")...)...)
		if string(config) != string(harness.Read(t, s.bazel.Bin("bundle/"+target+".json"))) {
			t.Errorf("%s has the configuration %s", ref, config)
		}
	}

	s.bazel.Must(t, "build", "//bundle:other.tar")
	if got := tags(t, s.bazel.Bin("bundle/other.tar")); !slices.Equal(got, []string{"localhost/compressed"}) {
		t.Errorf("other.tar has %q", got)
	}
	// The output group has the same file, and the target itself builds none.
	empty := []string{"--define=PREFIX=x", "--define=TAG=group"}
	if err := os.Remove(s.bazel.Bin("bundle/bundle.tar")); err != nil {
		t.Fatal(err)
	}
	s.bazel.Must(t, "build", with("//bundle", empty...)...)
	if _, err := os.Stat(s.bazel.Bin("bundle/bundle.tar")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("building the bundle made its archive (%v)", err)
	}
	s.bazel.Must(t, "build", with("//bundle", append(empty, "--output_groups=tar")...)...)
	if got := tags(t, s.bazel.Bin("bundle/bundle.tar")); len(got) != 3 {
		t.Errorf("the output group tar has %q", got)
	}
}

// With all names empty everything still builds, as some projects' builds want it.
func (s *suite) testBundleEmptyNames(t *testing.T) {
	empty := []string{"--define=PREFIX=", "--define=TAG="}
	s.bazel.Must(t, "build", with("//bundle", append(empty, "//bundle:bundle.tar", "//bundle:push")...)...)
	got := tags(t, s.bazel.Bin("bundle/bundle.tar"))
	slices.Sort(got)
	if want := []string{"/team/app-again:", "/team/app:", "/team/tool:"}; !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
	r := s.bazel.Run(t, "run", with("//bundle:push", empty...)...)
	if want := `//bundle:push: destination "/team/app:" is not a reference`; r.Code == 0 || !strings.Contains(r.Output(), want) {
		t.Errorf("no %q in %s", want, r)
	}
}

// podman gets every image of a bundle, and not again those that it has.
func (s *suite) testBundleLoad(t *testing.T) {
	storage := harness.TempDir(t)
	podman := filepath.Join(storage, "podman")
	program, err := exec.LookPath("podman")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s/calls\nexec %s --root=%s/root --runroot=%s/run --storage-driver=vfs \"$@\"\n",
		storage, program, storage, storage)
	if err := os.WriteFile(podman, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	bazel := s.bazel.With("DOCKER="+podman, "PATH="+os.Getenv("PATH"))
	run := func() []string {
		t.Helper()
		if err := os.WriteFile(storage+"/calls", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		r := bazel.MustOnHost(t, with("//bundle", s.names("v2")...)...)
		for _, name := range bundled() {
			if want := " as " + s.ref(name+":v2"); !strings.Contains(r.Output(), want) {
				t.Errorf("no %q in %s", want, r)
			}
		}
		calls := strings.Split(strings.TrimSpace(string(harness.Read(t, storage+"/calls"))), "\n")
		list := harness.Run(t, storage, os.Environ(), podman, "images", "--format={{.Repository}}:{{.Tag}}")
		for _, name := range bundled() {
			if !strings.Contains(list.Stdout, s.ref(name+":v2")+"\n") {
				t.Errorf("podman has no %s: %s", s.ref(name+":v2"), list)
			}
		}
		return calls
	}
	if calls := run(); !slices.ContainsFunc(calls, loads) {
		t.Errorf("nothing was loaded: %q", calls)
	}
	if calls := run(); slices.ContainsFunc(calls, loads) {
		t.Errorf("loaded again: %q", calls)
	}
}

// loads tells whether a call of podman loads images.
func loads(call string) bool { return strings.HasSuffix(call, "load") }

func (s *suite) testPushAll(t *testing.T) {
	for _, c := range []struct{ target, format, tag string }{{"push", "Docker", "v1"}, {"push-oci", "OCI", "o1"}} {
		t.Run(c.target, func(t *testing.T) {
			r := s.bazel.Must(t, "run", with("//bundle:"+c.target, s.names(c.tag)...)...)
			for i, name := range bundled() {
				digest := string(harness.Read(t, s.bazel.Bin(fmt.Sprintf("bundle/%s.%d.digest", c.target, i))))
				want := fmt.Sprintf("Successfully pushed %s image to %s - %s@%s", c.format, s.ref(name+":"+c.tag), s.ref(name), digest)
				if !strings.Contains(r.Output(), want) {
					t.Errorf("no %q in %s", want, r)
				}
				image := harness.Pull(t, s.ref(name+":"+c.tag))
				if image.Digest.String() != digest || len(image.Layers) != 2 {
					t.Errorf("%s is %s with %d layers, want %s with 2", name, image.Digest, len(image.Layers), digest)
				}
			}
		})
	}
}

// What fails says what to do; the rest is pushed.
func (s *suite) testPushAllFails(t *testing.T) {
	before := len(s.registry.Requests())
	r := s.bazel.Run(t, "run", with("//bundle:push-strict", s.names("strict")...)...)
	for _, want := range []string{
		"//bundle:push-strict", "speaks plain HTTP", "insecure_repository = True", "bazel run //bundle:push-strict -- --insecure-repository",
	} {
		if !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
	if r.Code == 0 {
		t.Error("it succeeded")
	}
	if n := registries.Count(s.registry.Requests()[before:], "PUT "); n > 0 {
		t.Errorf("%d uploads without permission", n)
	}
	r = s.bazel.Must(t, "run", append(with("//bundle:push-strict", s.names("v1")...), "--", "--insecure-repository")...)
	if n := strings.Count(r.Output(), "Skipping push of unchanged digest"); n != 3 {
		t.Errorf("%d of 3 images skipped: %s", n, r)
	}
}

func (s *suite) testPushAllStamped(t *testing.T) {
	status := filepath.Join(s.workspace, "status.sh")
	if err := os.WriteFile(status, []byte("#!/bin/sh\necho STABLE_TEAM blue\necho BUILD_USER builder\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.bazel.Must(t, "run", "--workspace_status_command="+status, "//bundle:push-stamped")
	if got := harness.Pull(t, s.ref("blue/stamped:builder")); len(got.Layers) != 2 {
		t.Errorf("%d layers", len(got.Layers))
	}
	s.bazel.Must(t, "build", "--workspace_status_command="+status, "//bundle:stamped.tar")
	if got := tags(t, s.bazel.Bin("bundle/stamped.tar")); !slices.Equal(got, []string{s.ref("blue/stamped:builder")}) {
		t.Errorf("stamped.tar has %q", got)
	}
}

// A bundle takes imported images and docker-save archives too.
func (s *suite) testMixed(t *testing.T) {
	s.bazel.Must(t, "run", with("//bundle:push-mixed", s.names("x")...)...)
	imported, saved := harness.Pull(t, s.ref("mixed/imported:1")), harness.Pull(t, s.ref("mixed/saved:1"))
	if len(imported.Layers) != 2 {
		t.Errorf("the imported image has %d layers", len(imported.Layers))
	}
	if string(saved.RawConfig) != string(savedConfig(t)) {
		t.Errorf("the saved image has the configuration %s", saved.RawConfig)
	}
	s.bazel.Must(t, "build", with("//bundle:mixed.tar", s.names("x")...)...)
	if got := tags(t, s.bazel.Bin("bundle/mixed.tar")); len(got) != 2 {
		t.Errorf("mixed.tar has %q", got)
	}
}

func (s *suite) testFlatten(t *testing.T) {
	s.bazel.Must(t, "build", "//bundle:flat", "//bundle:flat-of-tar", "//bundle:app.json")
	want := []harness.Entry{
		{Name: ".", Type: tar.TypeDir, Mode: 0o755},
		{Name: "etc", Type: tar.TypeDir, Mode: 0o755},
		{Name: "srv", Type: tar.TypeDir, Mode: 0o755},
		{Name: "etc/one.txt", Type: tar.TypeReg, Mode: 0o555, Content: "one\n"},
		{Name: "srv/two.txt", Type: tar.TypeReg, Mode: 0o555, Content: "two\n"},
	}
	for _, name := range []string{"flat", "flat-of-tar"} {
		if got := harness.Entries(t, harness.Read(t, s.bazel.Bin("bundle/"+name+".tar"))); !slices.Equal(got, want) {
			t.Errorf("%s.tar holds %v", name, got)
		}
		if got := string(harness.Read(t, s.bazel.Bin("bundle/"+name+".json"))); got != string(harness.Read(t, s.bazel.Bin("bundle/app.json"))) {
			t.Errorf("%s.json is %s", name, got)
		}
	}
}
