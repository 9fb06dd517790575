package source

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// withoutPrograms writes the release archive to a file, without the programs that it holds.
func withoutPrograms(t *testing.T, release workspace.Release, file string) workspace.Release {
	t.Helper()
	from, err := os.Open(strings.TrimPrefix(release.URL, "file://"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	plain, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(to)
	out := tar.NewWriter(zipped)
	left := copyMembers(t, out, tar.NewReader(plain), func(name string) bool {
		return strings.TrimSuffix(path.Base(name), ".exe") != "imagetool" ||
			!strings.HasPrefix(name, release.StripPrefix+"/prebuilt/")
	})
	if left == 0 {
		t.Fatal("the release archive holds no program")
	}
	for _, c := range []io.Closer{out, zipped, to} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	copied, err := workspace.OpenRelease(file)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// copyMembers copies those members that are wanted, and returns the number of the others.
func copyMembers(t *testing.T, to *tar.Writer, from *tar.Reader, wanted func(name string) bool) (left int) {
	t.Helper()
	for {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			return left
		}
		if err != nil {
			t.Fatal(err)
		}
		if !wanted(header.Name) {
			left++
			continue
		}
		if err := to.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
	}
}
