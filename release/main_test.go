package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"VERSION":                            "1.2.3\n",
		"go.mod":                             "module example.com/fake\n\ngo 1.25.0\n",
		"container/go/cmd/imagetool/main.go": "package main\n\nvar version string\n\nfunc main() { println(version) }\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestSubsetIsMarked(t *testing.T) {
	root := tree(t)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--root", root, "--platforms", "linux_amd64"}, &out); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "dist", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("want archive, checksum and notes, have %v (%v)", files, err)
	}
	for _, file := range files {
		if !strings.Contains(filepath.Base(file), "-dev") {
			t.Errorf("%s could be taken for a release", file)
		}
	}
	for _, part := range []string{"http_archive(", "archive_override(", "MB)"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the output lacks %q:\n%s", part, out.String())
		}
	}
}

func TestPrebuiltPrintsThePath(t *testing.T) {
	root := tree(t)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--root", root, "--prebuilt"}, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(strings.TrimSpace(out.String())); err != nil {
		t.Error(err)
	}
}

func TestBadArguments(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"stray argument":   {[]string{"v1.0.0"}, "unexpected argument"},
		"unknown platform": {[]string{"--root", tree(t), "--platforms", "beos_mips"}, "beos_mips"},
		"not a checkout":   {[]string{"--root", t.TempDir()}, "root of the checkout"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.args, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}
