package dropin

import (
	"archive/tar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// writeHostile writes the archives and the folder of hostile/BUILD.bazel.
func writeHostile(t *testing.T, dir string) {
	t.Helper()
	file := tar.Header{Typeflag: tar.TypeReg, Mode: 0o644}
	file.Name = "fine"
	fine := harness.Member{Header: file, Content: "fine\n"}
	with := func(name string, typeflag byte, link, content string) []byte {
		return harness.Tar(t, fine, harness.Member{
			Header:  tar.Header{Name: name, Typeflag: typeflag, Linkname: link, Mode: 0o644},
			Content: content,
		})
	}
	harness.Write(t, dir, "archives/parent_path.tar", with("../../etc/passwd", tar.TypeReg, "", "root::0:0:::\n"), 0o644)
	harness.Write(t, dir, "archives/hard_link_out.tar", with("shadow", tar.TypeLink, "../../etc/shadow", ""), 0o644)
	harness.Write(t, dir, "archives/absolute_symlink.tar", with("link", tar.TypeSymlink, "/etc/passwd", ""), 0o644)
	whole := harness.Gzip(t, with("long", tar.TypeReg, "", strings.Repeat("all work and no play ", 5000)))
	harness.Write(t, dir, "archives/truncated.tar.gz", whole[:len(whole)/2], 0o644)

	harness.Write(t, dir, "folder/fine", []byte("fine\n"), 0o644)
	if err := os.Symlink("nowhere", filepath.Join(dir, "folder", "dangling")); err != nil {
		t.Fatal(err)
	}
}

func (s *suite) testHostile(t *testing.T) {
	for name, wants := range map[string][]string{
		"parent_path":      {"../../etc/passwd", "parent_path.tar"},
		"hard_link_out":    {"shadow", "hard_link_out.tar"},
		"truncated":        {"truncated.tar.gz"},
		"dangling_symlink": {"dangling"},
	} {
		t.Run(name, func(t *testing.T) {
			target := "//hostile:" + name
			r := s.bazel.Run(t, "build", target)
			if r.Code != 1 {
				t.Errorf("exit code %d, want 1", r.Code)
			}
			message := builderMessage(r)
			for _, want := range append(wants, target) {
				if !strings.Contains(message, want) {
					t.Errorf("no %q in the builder's message %q", want, message)
				}
			}
			// Bazel removes outputs of failed actions, so ask the builder itself.
			alone := s.bazel.RunAction(t, s.action(t, "ContainerLayer", target), []string{"spec"})
			if alone.Code != 1 {
				t.Errorf("exit code %d of the builder, want 1", alone.Code)
			}
			left, err := os.ReadDir(alone.Outputs)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) > 0 {
				t.Errorf("the builder leaves %v", left)
			}
			if t.Failed() {
				t.Log(r)
			}
		})
	}
	t.Run("absolute_symlink", func(t *testing.T) {
		s.bazel.Must(t, "build", "//hostile:absolute_symlink-layer.tar")
		entries := harness.Entries(t, harness.Read(t, s.bazel.Bin("hostile/absolute_symlink-layer.tar")))
		want := harness.Entry{Name: "link", Type: tar.TypeSymlink, Mode: 0o644, Link: "/etc/passwd"}
		if !slices.Contains(entries, want) {
			t.Errorf("it holds\n%s\nwant it to have\n  %s", lines(entries), want)
		}
	})
}

// builderMessage is what remains of a failed build's output without Bazel's own
// account of the action, which repeats labels and names of files.
func builderMessage(r harness.Result) string {
	var kept []string
	for _, line := range strings.Split(r.Stderr, "\n") {
		if !strings.HasPrefix(line, "ERROR: /") && !strings.HasPrefix(line, "INFO: ") && !strings.HasPrefix(line, "Target ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
