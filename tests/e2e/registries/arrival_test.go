package registries_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// arrived checks with several clients that the registry gives out what was pushed,
// byte for byte.
func (s *site) arrived(t *testing.T, items ...item) {
	t.Helper()
	for _, it := range items {
		ref := s.server.Addr() + "/" + it.repository + ":" + it.tag
		s.bySkopeo(t, ref, it.image)
		if s.onlySkopeo {
			continue
		}
		if !s.noCrane {
			s.byCrane(t, ref, it.image)
		}
		s.byRegctl(t, ref, it.image)
	}
}

// tagged checks what a tag names, with one client.
func (s *site) tagged(t *testing.T, items ...item) {
	t.Helper()
	for _, it := range items {
		ref := s.server.Addr() + "/" + it.repository + ":" + it.tag
		if s.onlySkopeo {
			s.bySkopeo(t, ref, it.image)
		} else {
			s.byRegctl(t, ref, it.image)
		}
	}
}

// absent checks that there is nothing under a tag.
func (s *site) absent(t *testing.T, it item) {
	t.Helper()
	ref := s.server.Addr() + "/" + it.repository + ":" + it.tag
	r := finish(t, s.command(t, s.clientEnv, tools.crane, s.crane("digest", ref)...))
	if r.code == 0 || !strings.Contains(r.output, "MANIFEST_UNKNOWN") && !strings.Contains(r.output, "NAME_UNKNOWN") {
		t.Errorf("crane digest %s: exit code %d\n%s", ref, r.code, r.output)
	}
}

func (s *site) bySkopeo(t *testing.T, ref string, want image) {
	t.Helper()
	verify, source := "--tls-verify=true", "--src-tls-verify=true"
	if s.insecure {
		verify, source = "--tls-verify=false", "--src-tls-verify=false"
	}
	if got := s.client(t, "skopeo", "inspect", verify, "--raw", "docker://"+ref); got != string(want.manifest) {
		t.Errorf("skopeo inspect --raw %s: %s, want %s", ref, got, want.manifest)
	}
	dir := t.TempDir()
	s.client(t, "skopeo", "copy", "--quiet", source, "docker://"+ref, "dir:"+dir)
	blobs := map[string][]byte{hash(t, want.config).Hex: want.config}
	for _, l := range want.layers {
		blobs[l.digest.Hex] = l.blob
	}
	for name, blob := range blobs {
		if got := hash(t, harness.Read(t, filepath.Join(dir, name))); got != hash(t, blob) {
			t.Errorf("skopeo copy %s: blob %s is %s", ref, name, got)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(files), len(blobs)+2; got != want { // manifest.json and version
		t.Errorf("skopeo copy %s: %d files, want %d", ref, got, want)
	}
}

func (s *site) byCrane(t *testing.T, ref string, want image) {
	t.Helper()
	if got := s.client(t, tools.crane, s.crane("manifest", ref)...); got != string(want.manifest) {
		t.Errorf("crane manifest %s: %s, want %s", ref, got, want.manifest)
	}
	s.client(t, tools.crane, s.crane("validate", "--remote", ref)...)
}

func (s *site) crane(args ...string) []string {
	if s.insecure {
		return append(args, "--insecure")
	}
	return args
}

func (s *site) byRegctl(t *testing.T, ref string, want image) {
	t.Helper()
	host := "reg=" + s.server.Addr() + ",tls=enabled"
	switch {
	case s.plain:
		host = "reg=" + s.server.Addr() + ",tls=disabled"
	case s.insecure:
		host = "reg=" + s.server.Addr() + ",tls=insecure"
	}
	got := s.client(t, tools.regctl, "manifest", "get", "--host", host, "--format", "raw-body", ref)
	if got != string(want.manifest) {
		t.Errorf("regctl manifest get %s: %s, want %s", ref, got, want.manifest)
	}
	digest := s.client(t, tools.regctl, "image", "digest", "--host", host, ref)
	if strings.TrimSpace(digest) != want.digest.String() {
		t.Errorf("regctl image digest %s: %s, want %s", ref, digest, want.digest)
	}
}

// client runs a client, which has to succeed, and returns what it prints.
func (s *site) client(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := s.command(t, s.clientEnv, program, args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, complaint.String())
	}
	return string(out)
}
