package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeTree writes a module as small as can be, with files that belong in a release and files that do not.
func fakeTree(t *testing.T, fileMode os.FileMode, when time.Time) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"VERSION":                            "1.2.3\n",
		"go.mod":                             "module example.com/fake\n\ngo 1.25.0\n",
		"WORKSPACE":                          "",
		"BUILD.bazel":                        "",
		"Makefile":                           "all:\n",
		".gitignore":                         "*.junk\n/prebuilt/*/\n",
		"container/container.bzl":            "# rules\n",
		"container/private/run.sh":           "#!/bin/sh\n",
		"container/go/cmd/imagetool/main.go": "package main\n\nvar version string\n\nfunc main() { println(version) }\n",
		"container/go/pkg/x/x_test.go":       "package x\n",
		"container/go/pkg/x/testdata/f":      "f",
		"container/" + longName:              "long",
		"docs/page.md":                       "page",
		"release/main.go":                    "package main\n",
		"prebuilt/BUILD.bazel":               "",
		"prebuilt/linux_amd64/imagetool":     "left by make prebuilt",
		"stamp/stamp.bzl":                    "",
	} {
		write(t, root, name, text, fileMode)
	}
	if err := os.Chmod(filepath.Join(root, "container/private/run.sh"), fileMode|0o100); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, when, when))
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// longName does not fit in a ustar header.
var longName = strings.Repeat("long", 30) + ".bzl"

func write(t *testing.T, root, name, text string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func gitInit(t *testing.T, root string) {
	t.Helper()
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "WORKSPACE", "container"}} {
		command := exec.Command("git", args...)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
}

func release(t *testing.T, root string, limit int64) (Result, error) {
	t.Helper()
	version, err := ReadVersion(root)
	if err != nil {
		t.Fatal(err)
	}
	return Make(t.Context(), Options{
		Root: root, Out: filepath.Join(root, "dist"), Version: version, Limit: limit,
		Platforms: []Platform{{"linux", "amd64"}, {"windows", "amd64"}},
	})
}

func mustRelease(t *testing.T, root string) Result {
	t.Helper()
	result, err := release(t, root, MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func headers(t *testing.T, archive []byte) []*tar.Header {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var all []*tar.Header
	for reader := tar.NewReader(plain); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, header)
	}
}

func TestSameBytesEverywhere(t *testing.T) {
	first := mustRelease(t, fakeTree(t, 0o644, time.Unix(1e9, 0)))

	t.Setenv("GOFLAGS", "-race -ldflags=-v")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GOOS", "plan9")
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("LC_ALL", "tr_TR.UTF-8")
	other := fakeTree(t, 0o600, time.Unix(1.5e9, 0))
	gitInit(t, other)
	second := mustRelease(t, other)

	if !bytes.Equal(read(t, first.Path), read(t, second.Path)) {
		t.Errorf("%s and %s differ", first.SHA256(), second.SHA256())
	}
}

func TestContentsOfArchive(t *testing.T) {
	want := []string{
		"-rw-r--r-- BUILD.bazel",
		"-rw-r--r-- WORKSPACE",
		"-rw-r--r-- container/container.bzl",
		"-rw-r--r-- container/go/cmd/imagetool/main.go",
		"-rw-r--r-- container/" + longName,
		"-rwxr-xr-x container/private/run.sh",
		"-rw-r--r-- go.mod",
		"-rw-r--r-- prebuilt/BUILD.bazel",
		"-rwxr-xr-x prebuilt/linux_amd64/imagetool",
		"-rwxr-xr-x prebuilt/windows_amd64/imagetool.exe",
		"-rw-r--r-- stamp/stamp.bzl",
	}
	for name, prepare := range map[string]func(t *testing.T, root string){
		"without git": func(*testing.T, string) {},
		"with git": func(t *testing.T, root string) {
			write(t, root, "container/ignored.junk", "junk", 0o644)
			write(t, root, "container/deleted.bzl", "", 0o644)
			gitInit(t, root)
			if err := os.Remove(filepath.Join(root, "container/deleted.bzl")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeTree(t, 0o640, time.Unix(1e9, 0))
			prepare(t, root)
			result := mustRelease(t, root)
			var got []string
			for _, h := range headers(t, read(t, result.Path)) {
				below, inside := strings.CutPrefix(h.Name, Name+"-1.2.3/")
				if !inside {
					t.Errorf("%s is outside the archive's folder", h.Name)
				}
				if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.ModTime.Year() != 2000 {
					t.Errorf("%s tells about its origin: %+v", h.Name, h)
				}
				got = append(got, fmt.Sprint(h.FileInfo().Mode(), " ", below))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestBesideTheArchive(t *testing.T) {
	result := mustRelease(t, fakeTree(t, 0o644, time.Unix(1e9, 0)))
	dist, base := filepath.Split(result.Path)
	if want := Name + "-v1.2.3.tar.gz"; base != want {
		t.Errorf("the archive is called %s, want %s", base, want)
	}
	check := exec.Command("sha256sum", "--check", "--strict", base+".sha256")
	check.Dir = dist
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
	notes := string(read(t, filepath.Join(dist, "release_notes.md")))
	for _, part := range []string{
		`name = "io_bazel_rules_docker"`, `repo_name = "io_bazel_rules_docker"`,
		fmt.Sprintf("sha256 = %q", result.SHA256()), fmt.Sprintf("integrity = %q", result.Integrity()),
		fmt.Sprintf("strip_prefix = %q", Name+"-1.2.3"),
		`["https://github.com/backendcloud/rules_docker_for_insecure_registries/releases/download/v1.2.3/` + base + `"]`,
	} {
		if !strings.Contains(notes, part) {
			t.Errorf("the notes lack %s:\n%s", part, notes)
		}
	}
}

func TestIntegrityForm(t *testing.T) {
	// The digest of no bytes, as `openssl dgst -sha256 -binary </dev/null | base64` gives it.
	sum := []byte("\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55")
	if got, want := (Result{Sum: sum}).Integrity(), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProgramKnowsItsVersion(t *testing.T) {
	root := fakeTree(t, 0o644, time.Unix(1e9, 0))
	result := mustRelease(t, root)
	unpacked := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", result.Path, "-C", unpacked).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	program := read(t, filepath.Join(unpacked, result.Folder, "prebuilt/linux_amd64/imagetool"))
	if !bytes.Contains(program, []byte("1.2.3")) {
		t.Error("main.version is not set")
	}
	if bytes.Contains(program, []byte(root)) {
		t.Error("the program holds the path of the checkout")
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, root string)
		limit int64
		want  string
	}{
		"too large": {func(*testing.T, string) {}, 1000, "than the 1000 allowed"},
		"symbolic link": {func(t *testing.T, root string) {
			if err := os.Symlink("/etc/passwd", filepath.Join(root, "container/link")); err != nil {
				t.Fatal(err)
			}
		}, MaxSize, "container/link is not a regular file"},
		"program does not compile": {func(t *testing.T, root string) {
			write(t, root, "container/go/cmd/imagetool/main.go", "package main\n\nfunc main() { nothing() }\n", 0o644)
		}, MaxSize, "undefined: nothing"},
		"git fails": {func(t *testing.T, root string) { write(t, root, ".git", "nonsense", 0o644) }, MaxSize, "git ls-files"},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeTree(t, 0o644, time.Unix(1e9, 0))
			c.spoil(t, root)
			_, err := release(t, root, c.limit)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want one with %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(root, "dist", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if left, _ := filepath.Glob(filepath.Join(root, "dist", ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestReadVersion(t *testing.T) {
	for text, ok := range map[string]bool{
		"0.1.0\n": true, "1.20.3-rc1": true, "": false, "v1.0.0": false, "1.0": false, "1.0.0 -X main.x=y": false, "../1.0.0": false,
	} {
		t.Run(text, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "VERSION", text, 0o644)
			got, err := ReadVersion(root)
			if ok != (err == nil) || ok && got != strings.TrimSpace(text) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestParsePlatforms(t *testing.T) {
	for list, want := range map[string][]Platform{
		"linux_amd64":                {{"linux", "amd64"}},
		"windows_amd64,linux_s390x":  {{"windows", "amd64"}, {"linux", "s390x"}},
		"darwin_arm64,linux_ppc64le": {{"darwin", "arm64"}, {"linux", "ppc64le"}},
		"linux_amd64,linux_amd64":    {{"linux", "amd64"}},
		"linux_riscv64":              nil,
		"":                           nil,
		"linux_amd64,":               nil,
	} {
		t.Run(list, func(t *testing.T) {
			got, err := ParsePlatforms(list)
			if !slices.Equal(got, want) || (err == nil) != (want != nil) {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestPrebuild(t *testing.T) {
	root := fakeTree(t, 0o644, time.Unix(1e9, 0))
	path, err := Prebuild(t.Context(), root, "1.2.3", Platform{"linux", "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(root, "prebuilt/linux_amd64/imagetool"); path != want {
		t.Errorf("built %s, want %s", path, want)
	}
	if !bytes.Contains(read(t, path), []byte("1.2.3-dev")) {
		t.Error("main.version is not set")
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("want only the program, have %v", files)
	}
}
