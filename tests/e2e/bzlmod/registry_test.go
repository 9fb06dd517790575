package bzlmod

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

const module = "rules_docker_for_insecure_registries"

// useRegistry makes a module registry out of the release archive and of the files in
// .bcr, as the tools of the Bazel Central Registry do, and the workspace use it.
func (s *suite) useRegistry(t *testing.T) {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	registry := filepath.Join(s.root, "modules")
	folder := path.Join("modules", module, release.Version)
	bcr := filepath.Join("..", "..", "..", ".bcr")

	out, err := exec.Command("tar", "-xzOf", strings.TrimPrefix(release.URL, "file://"), release.StripPrefix+"/MODULE.bazel").Output()
	if err != nil {
		t.Fatalf("reading MODULE.bazel of the release: %v", err)
	}
	harness.Write(t, registry, folder+"/MODULE.bazel", out, 0o644)

	source := readJSON(t, filepath.Join(bcr, "source.template.json"))
	filled := strings.NewReplacer("{OWNER}", "backendcloud", "{REPO}", module, "{VERSION}", release.Version, "{TAG}", "v"+release.Version)
	if got, want := filled.Replace(source["url"].(string)), "/"+filepath.Base(release.URL); !strings.HasSuffix(got, want) {
		t.Errorf("source.template.json names %s, the archive is %s", got, want)
	}
	source["url"] = release.URL
	source["integrity"] = release.Integrity
	source["strip_prefix"] = filled.Replace(source["strip_prefix"].(string))
	writeJSON(t, registry, folder+"/source.json", source)

	metadata := readJSON(t, filepath.Join(bcr, "metadata.template.json"))
	metadata["versions"] = []string{release.Version}
	writeJSON(t, registry, path.Join("modules", module, "metadata.json"), metadata)
	writeJSON(t, registry, "bazel_registry.json", map[string]any{})

	file := filepath.Join(s.workspace, "MODULE.bazel")
	kept, override, found := strings.Cut(string(harness.Read(t, file)), "# The test takes this away")
	if !found || !strings.Contains(override, "archive_override(") {
		t.Fatalf("MODULE.bazel does not end with the override:\n%s", override)
	}
	if err := os.WriteFile(file, []byte(kept), 0o644); err != nil {
		t.Fatal(err)
	}
	// Naming one registry takes Bazel's default away. Debian's Bazel is configured with another that
	// has what Bazel itself needs; for any other one the environment names it.
	s.flags = []string{"--registry=file://" + registry}
	if central := os.Getenv("BAZEL_CENTRAL_REGISTRY"); central != "" {
		s.flags = append(s.flags, "--registry="+central)
	}
}

func readJSON(t *testing.T, file string) map[string]any {
	t.Helper()
	var data map[string]any
	if err := json.Unmarshal(harness.Read(t, file), &data); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return data
}

func writeJSON(t *testing.T, dir, file string, data map[string]any) {
	t.Helper()
	text, err := json.MarshalIndent(data, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	harness.Write(t, dir, file, append(text, '\n'), 0o644)
}
