// Package commands proves the programs that rules of others name by their labels: this
// folder is a workspace with such rules, and Bazel runs it with the release archive,
// against a registry on plain HTTP.
package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// suite is what the tests share: a Bazel server takes seconds to start.
type suite struct {
	root     string // directory of everything that the tests make
	bazel    *harness.Bazel
	registry *registries.Distribution // 127.0.0.2:5000 in BUILD files
}

func TestCommands(t *testing.T) {
	harness.EachCross(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c)
		s.bazel.Must(t, "build", "//app:all")
		t.Run("Push", s.testPush)
		t.Run("PushElsewhere", s.testPushElsewhere)
		t.Run("Chain", s.testChain)
		t.Run("Run", s.testRun)
		t.Run("OwnTools", s.testOwnTools)
	})
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	home, copied, data := filepath.Join(root, "home"), filepath.Join(root, "workspace"), filepath.Join(root, "registry")
	for _, dir := range []string{home, data} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	registry, err := registries.StartDistribution(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := registry.Close(); err != nil {
			t.Error(err)
		}
	})
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = registry.Addr()
	if err := workspace.Copy(copied, ".", replacements); err != nil {
		t.Fatal(err)
	}
	return &suite{root: root, registry: registry, bazel: c.NewBazel(t, copied, filepath.Join(root, "bazel"), home)}
}

// read is the content of an output in bazel-bin/app.
func (s *suite) read(t *testing.T, name string) string {
	t.Helper()
	return string(harness.Read(t, s.bazel.Bin("app/"+name)))
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

// testPush: a rule of somebody else's pushes what its digester said.
func (s *suite) testPush(t *testing.T) {
	for _, c := range []struct {
		target, repository string
		manifest           types.MediaType
	}{
		{"own_push_Docker", "own/docker", types.DockerManifestSchema2},
		{"own_push_OCI", "own/oci", types.OCIManifestSchema1},
		{"own_push_saved", "own/saved", types.DockerManifestSchema2},
	} {
		ref := s.registry.Addr() + "/" + c.repository + ":latest"
		r := s.bazel.MustOnHost(t, "//app:"+c.target, "--", "--insecure-repository")
		digest := s.read(t, c.target+".digest")
		if want := ref[:len(ref)-len(":latest")] + "@" + digest + "\n"; !strings.Contains(r.Stderr, want) {
			t.Errorf("%s: no %q in %s", c.target, want, r)
		}
		image := harness.Pull(t, ref)
		if image.Digest.String() != digest || image.Manifest.MediaType != c.manifest {
			t.Errorf("%s: pushed %s, %s; want %s, %s", c.target, image.Digest, image.Manifest.MediaType, digest, c.manifest)
		}
		if !slices.Equal(image.Config.Config.Cmd, []string{"/srv/app.txt"}) {
			t.Errorf("%s: command %q", c.target, image.Config.Config.Cmd)
		}
	}
	if got, want := s.read(t, "own_push_Docker.digest"), s.read(t, "push.digest"); got != want {
		t.Errorf("the digester says %s, container_push %s", got, want)
	}
}

// testPushElsewhere: what is pushed may be for another platform, even for one that there
// is no program for; the pusher is for this machine.
func (s *suite) testPushElsewhere(t *testing.T) {
	s.bazel.MustOnHost(t, "--platforms=//app:elsewhere", "//app:own_push_Docker", "--", "--insecure-repository",
		"-dst="+s.registry.Addr()+"/own/elsewhere:v1")
	if got, want := harness.InspectedDigest(t, s.registry.Addr()+"/own/elsewhere:v1"), s.read(t, "push.digest"); got != want {
		t.Errorf("pushed %s, want %s", got, want)
	}
}

// testChain: the programs as tools of an action, each with what the one before has made.
func (s *suite) testChain(t *testing.T) {
	for name, want := range map[string]string{
		"made.sum":            sum(s.read(t, "made.tar.gz")),
		"made.id":             sum(s.read(t, "made.tar")),
		"made.extracted.json": s.read(t, "made.json"),
		"made.flat.json":      s.read(t, "made.json"),
		"made.image_id":       sum(s.read(t, "made.json")) + "\n",
	} {
		if got := s.read(t, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"made.tar", "made.flat.tar"} {
		entries := harness.Entries(t, []byte(s.read(t, name)))
		if last := entries[len(entries)-1]; last.Name != "srv/app.txt" || last.Mode != 0o444 {
			t.Errorf("%s ends with %+v", name, last)
		}
	}
	var inspected struct {
		Env    []string
		Layers []string
	}
	out := harness.Skopeo(t, "inspect", "docker-archive:"+s.bazel.Bin("app/made.archive.tar"))
	if err := json.Unmarshal(out, &inspected); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(inspected.Env, []string{"A=b"}) || len(inspected.Layers) != 1 {
		t.Errorf("skopeo sees %s", out)
	}
}

// testRun: the programs by "bazel run", with upstream's flags.
func (s *suite) testRun(t *testing.T) {
	const commands = "@io_bazel_rules_docker//container/go/cmd/"
	archive, ref := s.bazel.Bin("app/image.tar"), s.registry.Addr()+"/run/saved:v1"
	id := sum(s.read(t, "image.json"))
	if r := s.bazel.MustOnHost(t, "@io_bazel_rules_docker//contrib:extract_image_id", "--", archive); r.Stdout != id+"\n" {
		t.Errorf("want image id %s: %s", id, r)
	}
	s.bazel.MustOnHost(t, commands+"pusher", "--", "-tarball="+archive, "-format=Docker", "-dst="+ref, "-insecure-repository")
	pulled, loaded := filepath.Join(s.root, "pulled"), filepath.Join(s.root, "loaded")
	s.bazel.MustOnHost(t, commands+"puller", "--", "-name="+ref, "-directory="+pulled, "-plain-http")
	s.bazel.MustOnHost(t, commands+"loader", "--", "-tarball="+archive, "-directory="+loaded)
	for _, dir := range []string{pulled, loaded} {
		if got := sum(string(harness.Read(t, filepath.Join(dir, "config.json")))); got != id {
			t.Errorf("%s: image id %s, want %s", dir, got, id)
		}
	}
	if got, want := string(harness.Read(t, filepath.Join(pulled, "digest"))), harness.InspectedDigest(t, ref); got != want {
		t.Errorf("pulled %s, skopeo sees %s", got, want)
	}
}

// testOwnTools: a program in the place of one of the rules' is run, or refused.
func (s *suite) testOwnTools(t *testing.T) {
	var names []string
	for _, e := range harness.Entries(t, []byte(s.read(t, "layer-layer.tar"))) {
		names = append(names, e.Name)
	}
	want := []string{".", "opt", "opt/app.txt", "made", "made/by", "made/by/own_tar", "link"}
	if !slices.Equal(names, want) {
		t.Errorf("the layer holds %q, want %q", names, want)
	}
	for target, want := range map[string]string{
		"own_config": "//app:own_config: create_image_config = //app:own_tar: these rules do that themselves",
		"own_script": "//app:own_script: incremental_load_template = //app:app.txt: these rules do that themselves",
		"own_zstd":   "//app:own_zstd: with build_layer, compression can only be gzip or none",
	} {
		if r := s.bazel.Run(t, "build", "//app:"+target); r.Code == 0 || !strings.Contains(r.Stderr, want) {
			t.Errorf("%s: no %q in %s", target, want, r)
		}
	}
}
