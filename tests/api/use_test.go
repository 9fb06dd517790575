package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// testUse builds targets of rules that somebody else made of the parts offered for that.
func testUse(t *testing.T, bazel *harness.Bazel) {
	if err := workspace.Copy(filepath.Join(bazel.Workspace, "use"), "testdata/use", nil); err != nil {
		t.Fatal(err)
	}
	bazel.Must(t, "build", "//use/...")
	file := harness.Read(t, filepath.Join(bazel.Workspace, "use/other.txt"))
	built := func(name string) []byte { return harness.Read(t, bazel.Bin("use/"+name)) }
	for name, of := range map[string][]byte{
		"other.txt.sha256":          file,
		"steps-layer.tar.sha256":    built("steps-layer.tar"),
		"steps-layer.tar.gz.sha256": built("steps-layer.tar.gz"),
	} {
		sum := sha256.Sum256(of)
		if got, want := string(built(name)), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string][]byte{"other.txt.gz": file, "steps-layer.tar.gz": built("steps-layer.tar")} {
		r, err := gzip.NewReader(bytes.NewReader(built(name)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s does not hold what it was made of (%v)", name, err)
		}
	}
	if !bytes.Equal(built("other.txt.gz.nogz"), file) {
		t.Error("gunzip(gzip(other.txt)) is not other.txt")
	}
	if entries := harness.Entries(t, built("steps-layer.tar")); !holds(entries, "other.txt", string(file)) {
		t.Errorf("the layer has %v", entries)
	}
	arguments := string(built("arguments.txt"))
	for _, want := range []string{
		`(?m)^--config=bazel-out/[^ ]*/use/image.json$`,
		`(?m)^--layer=[^,]*/image-layer.tar.gz,[^,]*/image-layer.tar,[^,]*/image-layer.tar.gz.sha256,[^,]*/image-layer.tar.sha256$`,
		`(?m)^bazel-out/[^ ]*/use/image-layer.tar.gz$`,
		`(?m)^docker: docker$`,
	} {
		if !regexp.MustCompile(want).MatchString(arguments) {
			t.Errorf("no %s in\n%s", want, arguments)
		}
	}
}

func holds(entries []harness.Entry, name, content string) bool {
	for _, e := range entries {
		if e.Name == name && e.Content == content {
			return true
		}
	}
	return false
}

// testTransition: images are built for the platform of the command line, in bazel-bin,
// unless the flag says that each is built for its own.
func testTransition(t *testing.T, bazel *harness.Bazel) {
	names := []string{"image", "early", "late", "chosen"}
	var layers []string
	for _, name := range names {
		layers = append(layers, "//use:"+name+"_layer")
	}
	check := func(arm64 string) {
		t.Helper()
		for _, name := range names {
			want := "other.txt"
			if name == arm64 {
				want = "arm64.txt"
			}
			entries := harness.Entries(t, harness.Read(t, bazel.Bin("use/"+name+"_layer.tar")))
			if content := harness.Read(t, filepath.Join(bazel.Workspace, "use", want)); !holds(entries, want, string(content)) {
				t.Errorf("//use:%s has not %s but %v", name, want, entries)
			}
		}
	}
	bazel.Must(t, "build", append(layers, "//use:image.digest")...)
	check("")
	for _, name := range []string{"image-layer.tar", "image.digest", "early-layer.tar", "late-layer.tar", "chosen-layer.tar"} {
		if _, err := os.Stat(bazel.Bin("use/" + name)); err != nil {
			t.Errorf("what is built without the transition is not in bazel-bin: %v", err)
		}
	}
	bazel.Must(t, "build", append(layers, "--@io_bazel_rules_docker//transitions:enable")...)
	check("image")
}

// testLazy: what a WORKSPACE defines before the macros stays, and what they define is
// not fetched by anything that was done so far.
func testLazy(t *testing.T, bazel *harness.Bazel, s *surface.Surface) {
	external := filepath.Join(strings.TrimSpace(bazel.Must(t, "info", "output_base").Stdout), "external")
	for name := range s.Repositories {
		if name == "docker_config" {
			continue
		}
		if _, err := os.Lstat(filepath.Join(external, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("@%s was fetched (%v)", name, err)
		}
	}
	own := `
load("@io_bazel_rules_docker//container:container.bzl", "container_pull")

container_pull(
    name = "go_image_base",
    registry = "127.0.0.2:1",
    repository = "own/base",
    tag = "own",
)

load(":describe.bzl", "plain_repository")

plain_repository(name = "bazel_skylib")
`
	text := workspaceFile(t, setup)
	first := strings.Index(text, "\nload(\"@io_bazel_rules_docker")
	harness.Write(t, bazel.Workspace, "WORKSPACE", []byte(text[:first]+own+text[first:]), 0o644)
	r := bazel.Must(t, "query", "--output=build", "//external:go_image_base + //external:bazel_skylib")
	for _, want := range []string{`registry = "127.0.0.2:1"`, "plain_repository("} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("no %q in %s", want, r)
		}
	}
}
