package workspace_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// writeArchive makes a release archive of files by name, each in the folder x-1.0.
func writeArchive(t *testing.T, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x-1.0.tar.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(f)
	archive := tar.NewWriter(zipped)
	for name, content := range files {
		if err := archive.WriteHeader(&tar.Header{Name: "x-1.0/" + name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{archive, zipped, f} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestOpenRelease(t *testing.T) {
	path := writeArchive(t, map[string]string{"BUILD.bazel": ""})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	got, err := workspace.OpenRelease(path)
	if err != nil {
		t.Fatal(err)
	}
	want := workspace.Release{
		URL:         "file://" + path,
		SHA256:      hex.EncodeToString(sum[:]),
		Integrity:   "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
		StripPrefix: "x-1.0",
		Version:     "1.0",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestExtract(t *testing.T) {
	release, err := workspace.OpenRelease(writeArchive(t, map[string]string{"a": "A", "b/c": "C", "d": "D"}))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := release.Extract(dir, "b/c", "d"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"b/c": "C", "d": "D"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "b", "c")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("b/c: %v, %v; want mode 0755", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("a is written, which nobody asked for")
	}
	if err := release.Extract(dir, "a", "e"); err == nil || !strings.Contains(err.Error(), "x-1.0/e") {
		t.Errorf("extracting what is not there: %v", err)
	}
}

func TestOpenReleaseFails(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.tar.gz")
	if err := os.WriteFile(text, []byte("not gzip"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, text + ".missing"} {
		if _, err := workspace.OpenRelease(path); err == nil {
			t.Errorf("OpenRelease(%q): no error", path)
		}
	}
}

func TestFindReleaseNeedsTheVariable(t *testing.T) {
	t.Setenv(workspace.ArchiveVariable, "")
	if _, err := workspace.FindRelease(); err == nil {
		t.Error("no error")
	}
}

func TestCopy(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"WORKSPACE":       "url = %URL%",
		"drop_in_test.go": "package x",
		"cmd/BUILD.bazel": "at %URL%",
		"cmd/main.go":     "package main // %URL%",
	} {
		path := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o744); err != nil {
			t.Fatal(err)
		}
	}
	if err := workspace.Copy(dst, src, map[string]string{"%URL%": "file:///x"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"WORKSPACE":       "url = file:///x",
		"cmd/BUILD.bazel": "at file:///x",
		"cmd/main.go":     "package main // %URL%",
	} {
		got, err := os.ReadFile(filepath.Join(dst, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	info, err := os.Stat(filepath.Join(dst, "cmd/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o744 {
		t.Errorf("main.go has mode %v", info.Mode())
	}
	if _, err := os.Stat(filepath.Join(dst, "drop_in_test.go")); err == nil {
		t.Error("the test itself was copied")
	}
}
