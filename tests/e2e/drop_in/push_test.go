package dropin

import (
	"archive/tar"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

const imageTag = "--define=IMAGE_TAG=v1.0.0"

func (s *suite) testPush(t *testing.T) {
	for _, tc := range []struct {
		format, target, repository string
		manifest, config, layer    types.MediaType
	}{
		{"Docker", "image-push", "team/app", types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer},
		{"OCI", "image-push-oci", "team/app-oci", types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer},
	} {
		t.Run(tc.format, func(t *testing.T) {
			s.bazel.Must(t, "build", imageTag, "//cmd:"+tc.target)
			digest := string(harness.Read(t, s.bazel.Bin("cmd/"+tc.target+".digest")))
			ref := s.ref(tc.repository + ":v1.0.0")
			want := fmt.Sprintf("Successfully pushed %s image to %s - %s@%s", tc.format, ref, s.ref(tc.repository), digest)

			first := s.bazel.Must(t, "run", imageTag, "//cmd:"+tc.target)
			if !strings.Contains(first.Output(), want) {
				t.Errorf("no line %q in\n%s", want, first)
			}
			image := harness.Pull(t, ref)
			if image.Digest.String() != digest || harness.InspectedDigest(t, ref) != digest {
				t.Errorf("%s.digest is %q, the registry has %s", tc.target, digest, image.Digest)
			}
			types := []types.MediaType{image.Manifest.MediaType, image.Manifest.Config.MediaType, image.Manifest.Layers[0].MediaType}
			if wantTypes := []any{tc.manifest, tc.config, tc.layer}; fmt.Sprint(types) != fmt.Sprint(wantTypes) {
				t.Errorf("media types %v, want %v", types, wantTypes)
			}
			s.checkHello(t, image)

			before := len(s.open.Requests())
			again := s.bazel.Must(t, "run", imageTag, "//cmd:"+tc.target)
			if !strings.Contains(again.Output(), want) {
				t.Errorf("pushing again: no line %q in\n%s", want, again)
			}
			if n := registries.Count(s.open.Requests()[before:], "POST "); n > 0 {
				t.Errorf("pushing again uploads %d blobs", n)
			}
		})
	}
}

// checkHello checks configuration and content of //cmd:image.
func (s *suite) checkHello(t *testing.T, image *harness.Image) {
	t.Helper()
	if got := image.Config.Config; !slices.Equal(got.Entrypoint, []string{"/usr/bin/hello"}) || len(got.Cmd) > 0 {
		t.Errorf("entrypoint %q and command %q", got.Entrypoint, got.Cmd)
	}
	if c := image.Config; c.OS != "linux" || c.Architecture != "amd64" || c.Created.Unix() != 0 {
		t.Errorf("%s/%s created %v", c.OS, c.Architecture, c.Created)
	}
	checkHistory(t, image.Config, "bazel build //cmd:image")
	program := harness.Read(t, filepath.Join(s.workspace, "cmd", "hello"))
	checkLayers(t, image, []harness.Entry{
		folder("."), folder("usr"), folder("usr/bin"),
		{Name: "usr/bin/hello", Type: tar.TypeReg, Mode: 0o555, Content: harness.Digest(program)},
	})
}

// checkLayers compares the members of every layer.
func checkLayers(t *testing.T, image *harness.Image, want ...[]harness.Entry) {
	t.Helper()
	if len(image.Layers) != len(want) {
		t.Errorf("%d layers, want %d", len(image.Layers), len(want))
	}
	for i := range min(len(image.Layers), len(want)) {
		if !slices.Equal(image.Layers[i], want[i]) {
			t.Errorf("layer %d holds\n%s\nwant\n%s", i, lines(image.Layers[i]), lines(want[i]))
		}
	}
}

func lines(entries []harness.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	return b.String()
}

// folder is a directory that nobody asked for by name.
func folder(name string) harness.Entry {
	return harness.Entry{Name: name, Type: tar.TypeDir, Mode: 0o755}
}

func (s *suite) testPushStrict(t *testing.T) {
	before := len(s.open.Requests())
	r := s.bazel.Run(t, "run", imageTag, "//cmd:image-push-strict")
	if r.Code != 1 {
		t.Errorf("exit code %d, want 1", r.Code)
	}
	for _, want := range []string{
		"http: server gave HTTP response to HTTPS client",
		"insecure_repository = True",
		"ERROR: //cmd:image-push-strict: ", // and not @// or @@//
		"cmd/BUILD.bazel",
		s.open.Addr(),
	} {
		if !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in the message", want)
		}
	}
	if strings.Contains(r.Output(), "Successfully") {
		t.Error("it claims success")
	}
	if t.Failed() {
		t.Log(r)
	}
	if asked := s.open.Requests()[before:]; len(asked) > 0 {
		t.Errorf("it spoke plain HTTP to a registry that nobody called insecure: %q", asked)
	}
}

func (s *suite) testPushSelfSigned(t *testing.T) {
	strict := s.bazel.Run(t, "run", imageTag, "//cmd:image-push-self-signed-strict")
	checkFailure(t, strict, "//cmd:image-push-self-signed-strict", "certificate", "insecure_repository = True", "cmd/BUILD.bazel")
	if asked := s.private.Requests(); len(asked) > 0 {
		t.Errorf("it sent requests over a connection that it could not verify: %q", asked)
	}
	r := s.bazel.Must(t, "run", imageTag, "//cmd:image-push-self-signed")
	ref := s.private.Addr() + "/team/app:v1.0.0"
	if !strings.Contains(r.Output(), "Successfully pushed Docker image to "+ref) || !strings.Contains(r.Output(), "without verifying") {
		t.Error(r)
	}
	s.checkHello(t, harness.Pull(t, ref))
}

func (s *suite) testPushUnchanged(t *testing.T) {
	push := func(tag string) (harness.Result, []string) {
		before := len(s.open.Requests())
		r := s.bazel.Must(t, "run", "--define=IMAGE_TAG="+tag, "//cmd:image-push-unchanged")
		return r, s.open.Requests()[before:]
	}
	push("v1")
	want := harness.Pull(t, s.ref("team/unchanged:v1")).Digest
	r, requests := push("v1")
	if n := registries.Count(requests, "PUT ") + registries.Count(requests, "POST "); n > 0 {
		t.Errorf("an unchanged image is sent: %q", requests)
	}
	if !strings.Contains(r.Output(), "Skipping push of unchanged digest") || strings.Contains(r.Output(), "Successfully pushed") {
		t.Errorf("it does not say that it skipped: %s", r)
	}
	// A new tag of a known digest is a change all the same.
	if _, requests = push("v2"); registries.Count(requests, "POST ") > 0 {
		t.Errorf("blobs are sent again: %q", requests)
	}
	if got := harness.Pull(t, s.ref("team/unchanged:v2")).Digest; got != want {
		t.Errorf("v2 has digest %v, want %v", got, want)
	}
}
