package kubevirtlike

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// bundled are the names of the images of //:components-bundle, in its order.
func bundled() []string { return []string{"controller", "exporter", "launcher"} }

// tags lists the names of the images of a docker-save archive, sorted.
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
	slices.Sort(all)
	return all
}

// testBundle builds the archive of a bundle and gives it to podman and to skopeo.
func (s *suite) testBundle(t *testing.T) {
	const architecture = "amd64"
	s.bazel.Must(t, "build", with(flags(architecture, "registry:5000/machines", "", "devel"), "//:components-bundle.tar")...)
	archive := s.bazel.Bin("components-bundle.tar")

	storage := harness.TempDir(t)
	podman := func(args ...string) string {
		options := []string{"--root=" + storage + "/root", "--runroot=" + storage + "/run", "--storage-driver=vfs"}
		r := harness.Run(t, storage, workspace.Environ(s.home), "podman", append(options, args...)...)
		if r.Code != 0 {
			t.Fatal(r)
		}
		return strings.TrimSpace(r.Stdout)
	}
	podman("load", "--input="+archive)
	for _, name := range bundled() {
		ref := "registry:5000/machines/" + name + ":devel"
		copied := filepath.Join(storage, name)
		harness.Skopeo(t, "copy", "docker-archive:"+archive+":"+ref, "dir:"+copied)
		manifest, err := v1.ParseManifest(bytes.NewReader(harness.Read(t, filepath.Join(copied, "manifest.json"))))
		if err != nil {
			t.Fatal(err)
		}
		// A configuration has the digests of all content.
		want := s.configs[name+"-"+architecture]
		if got := manifest.Config.Digest.String(); got != want {
			t.Errorf("skopeo finds %s as %s, want %s", ref, got, want)
		}
		if got := "sha256:" + podman("image", "inspect", "--format={{.Id}}", ref); got != want {
			t.Errorf("podman has %s as %s, want %s", ref, got, want)
		}
	}
}

// testPushAll pushes the bundle to the registry that wants a password.
func (s *suite) testPushAll(t *testing.T) {
	prefix := s.prefix(s.guarded)
	r := s.bazel.Must(t, "run", with(flags("arm64", prefix, "", "devel"), "//:push-all")...)
	if strings.Contains(r.Output(), registries.Password) {
		t.Errorf("the password is printed: %s", r)
	}
	for i, name := range bundled() {
		want := s.digests[name+"-arm64"]
		if got := string(harness.Read(t, s.bazel.Bin(fmt.Sprintf("push-all.%d.digest", i)))); got != want {
			t.Errorf("the digest of %s is %s, pushed alone it was %s", name, got, want)
		}
		if said := fmt.Sprintf("Successfully pushed Docker image to %s/%s:devel - %s/%s@%s", prefix, name, prefix, name, want); !strings.Contains(r.Output(), said) {
			t.Errorf("no %q in %s", said, r)
		}
		image, err := remote.Image(reference(t, prefix+"/"+name+":devel"), account())
		if err != nil {
			t.Fatal(err)
		}
		if got := digestOf(t, image); got != want {
			t.Errorf("the registry has %s as %s, want %s", name, got, want)
		}
	}
}

// testEmptyNames builds as continuous integration does that pushes nothing.
func (s *suite) testEmptyNames(t *testing.T) {
	s.bazel.Must(t, "build", with(flags("amd64", "", "", ""),
		"//...", "//:components-bundle.tar")...)
	if got, want := tags(t, s.bazel.Bin("components-bundle.tar")), []string{"/controller:", "/exporter:", "/launcher:"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	for _, name := range bundled() {
		if got, want := string(harness.Read(t, s.bazel.Bin("push-"+name+".digest"))), s.digests[name+"-amd64"]; got != want {
			t.Errorf("the digest of %s is %s, want %s", name, got, want)
		}
	}
}
