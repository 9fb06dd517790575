package harness_test

import (
	"archive/tar"
	"slices"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

func TestEntries(t *testing.T) {
	archive := harness.Tar(t,
		harness.Member{Header: tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}},
		harness.Member{Header: tar.Header{Name: "./a/b", Typeflag: tar.TypeReg, Mode: 0o640, Uid: 107, Gid: 36}, Content: "x"},
		harness.Member{Header: tar.Header{Name: "/l", Typeflag: tar.TypeSymlink, Linkname: "/a/b"}},
	)
	got := harness.Entries(t, harness.Uncompress(t, harness.Gzip(t, archive)))
	want := []harness.Entry{
		{Name: ".", Type: tar.TypeDir, Mode: 0o755},
		{Name: "a/b", Type: tar.TypeReg, Mode: 0o640, UID: 107, GID: 36, Content: "x"},
		{Name: "l", Type: tar.TypeSymlink, Link: "/a/b"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
