package layer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// makeDir makes a directory: a value is a file's content, or "->target" of a symbolic
// link; $ROOT in it is the parent of the directory.
func makeDir(t *testing.T, root string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(root, "dir")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		if len(content) > 2 && content[:2] == "->" {
			err = os.Symlink(os.Expand(content[2:], func(string) string { return root }), path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDirectories(t *testing.T) {
	files := map[string]string{"b": "B", "a/x": "X", "a/l": "->x", "a/up": "->../b", "z/y": "Y"}
	want := []string{
		"5 0755 0:0 ./", "5 0755 0:0 ./d/", "5 0555 0:0 ./d/t/", "5 0555 0:0 ./d/t/a/", "2 0755 0:0 ./d/t/a/l -> x", "2 0755 0:0 ./d/t/a/up -> ../b",
		"0 0444 0:0 ./d/t/a/x = X", "0 0444 0:0 ./d/t/b = B", "5 0555 0:0 ./d/t/z/", "0 0444 0:0 ./d/t/z/y = Y",
	}
	real := makeDir(t, t.TempDir(), files)
	layer := func(source string) spec.Layer {
		return spec.Layer{Mode: "0444", Files: []spec.File{{Source: source, Destination: "d/t"}}}
	}
	t.Run("as it is", func(t *testing.T) { wantEntries(t, layer(real), want...) })

	t.Run("behind a link", func(t *testing.T) {
		staged := filepath.Join(t.TempDir(), "staged")
		if err := os.Symlink(real, staged); err != nil {
			t.Fatal(err)
		}
		wantEntries(t, layer(staged), want...)
	})

	t.Run("file by file as a sandbox does", func(t *testing.T) {
		links := make(map[string]string)
		for name := range files {
			links[name] = "->" + filepath.Join(real, name)
		}
		wantEntries(t, layer(makeDir(t, t.TempDir(), links)), want...)
	})

	t.Run("links that leave it are their content", func(t *testing.T) {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "out/sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "out/sub/f"), []byte("F"), 0o644); err != nil {
			t.Fatal(err)
		}
		dir := makeDir(t, root, map[string]string{"abs": "->$ROOT/out/sub", "rel": "->../out/sub/f"})
		wantEntries(t, spec.Layer{Mode: "0444", Files: []spec.File{{Source: dir, Destination: ""}}},
			"5 0755 0:0 ./", "5 0555 0:0 ./abs/", "0 0444 0:0 ./abs/f = F", "0 0444 0:0 ./rel = F")
	})

	for name, files := range map[string]map[string]string{
		"dangling":          {"l": "->nowhere"},
		"dangling absolute": {"l": "->$ROOT/nowhere"},
		"loop":              {"a/l": "->$ROOT/dir"},
		"link to itself":    {"l": "->l"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := makeDir(t, t.TempDir(), files)
			wantError(t, layer(dir), dir, "l")
		})
	}
}
