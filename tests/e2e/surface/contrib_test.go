package surface

import (
	"archive/tar"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

func (s *suite) testAccounts(t *testing.T) {
	s.bazel.Must(t, "build", "//contrib:passwd", "//contrib:group", "//contrib:users")
	for file, want := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/sh\nnonroot-user:x:1001:1001:user::/bin/bash\n",
		"group":  "root:x:0:\nstaff:x:1000:ann,bob\n",
	} {
		if got := string(harness.Read(t, s.bazel.Bin("contrib/"+file))); got != want {
			t.Errorf("%s holds %q, want %q", file, got, want)
		}
	}
	const users = "someone:x:1000:1000:user:/home:/bin/bash\nroot:x:0:0:root:/root:/bin/sh\nnonroot-user:x:1001:1001:user::/bin/bash\n"
	want := []harness.Entry{
		{Name: ".", Type: tar.TypeDir, Mode: 0o755},
		{Name: "etc", Type: tar.TypeDir, Mode: 0o755},
		{Name: "etc/users", Type: tar.TypeReg, Mode: 0o600, Content: harness.Digest([]byte(users))},
		{Name: "home", Type: tar.TypeDir, Mode: 0o700, UID: 1000, GID: 1000},
		{Name: "root", Type: tar.TypeDir, Mode: 0o700},
	}
	if got := harness.Entries(t, harness.Read(t, s.bazel.Bin("contrib/users.tar"))); !slices.Equal(got, want) {
		t.Errorf("users.tar holds %v, want %v", got, want)
	}
	for target, want := range map[string]string{
		"//contrib:two-roots": "the user root is defined twice",
		"//contrib:colon":     `username "a:b" has a colon`,
	} {
		if r := s.bazel.Run(t, "build", target); r.Code == 0 || !strings.Contains(r.Output(), want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
}

func (s *suite) testNames(t *testing.T) {
	s.bazel.Must(t, "build", "--define=TAG=v9", "//contrib:tagged.tar", "//contrib:renamed.tar", "//contrib:own.tar",
		"//contrib:own", "@io_bazel_rules_docker//platforms:all")
	for archive, want := range map[string]string{"tagged": "localhost/with/tag:v9", "renamed": "localhost/renamed:latest", "own": "localhost/own:1"} {
		if got := tags(t, s.bazel.Bin("contrib/"+archive+".tar")); !slices.Equal(got, []string{want}) {
			t.Errorf("%s.tar has %q, want %q", archive, got, want)
		}
	}
	for target, want := range map[string]struct {
		ref  string
		kind types.MediaType
	}{
		"push-default":     {"contrib/default:team", types.DockerManifestSchema2},
		"push-default-oci": {"contrib/default-oci:own", types.OCIManifestSchema1},
		"push-docker":      {"contrib/docker:latest", types.DockerManifestSchema2},
		"push-oci":         {"contrib/oci:latest", types.OCIManifestSchema1},
	} {
		s.bazel.Must(t, "run", "--define=TAG=x", "//contrib:"+target)
		if got := harness.Pull(t, s.ref(want.ref)).Manifest.MediaType; got != want.kind {
			t.Errorf("%s has media type %s", want.ref, got)
		}
	}
}
