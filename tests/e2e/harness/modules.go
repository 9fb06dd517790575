package harness

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// module is the name of the module of the rules, and what the archive's name begins with.
const module = "rules_docker_for_insecure_registries"

// Registry makes a file registry of Bazel modules in dir, out of an archive and of the files in bcr, the folder .bcr of
// the checkout, as the tools of the Bazel Central Registry do. It returns the flags that make Bazel take modules from there.
func Registry(t *testing.T, dir, bcr string, archive workspace.Release) []string {
	t.Helper()
	publish(t, dir, bcr, archive, "")
	publish(t, dir, filepath.Join(bcr, "source"), archive, "source")
	writeJSON(t, dir, "bazel_registry.json", map[string]any{})
	// Naming one registry takes Bazel's default away. Debian's Bazel is configured with another that
	// has what Bazel itself needs; for any other one the environment names it.
	flags := []string{"--registry=file://" + dir}
	if central := os.Getenv("BAZEL_CENTRAL_REGISTRY"); central != "" {
		flags = append(flags, "--registry="+central)
	}
	return flags
}

// publish adds the module in a folder of the archive, with the templates for it.
func publish(t *testing.T, dir, templates string, archive workspace.Release, folder string) {
	t.Helper()
	name := strings.TrimSuffix(module+"_"+folder, "_")
	entry := path.Join("modules", name, archive.Version)

	// With tar, as who publishes it.
	file := path.Join(archive.StripPrefix, folder, "MODULE.bazel")
	out, err := exec.Command("tar", "-xzOf", strings.TrimPrefix(archive.URL, "file://"), file).Output()
	if err != nil {
		t.Fatalf("reading %s of the archive: %v", file, err)
	}
	Write(t, dir, entry+"/MODULE.bazel", out, 0o644)

	source := readJSON(t, filepath.Join(templates, "source.template.json"))
	filled := strings.NewReplacer("{OWNER}", "backendcloud", "{REPO}", module, "{VERSION}", archive.Version, "{TAG}", "v"+archive.Version)
	want := "https://github.com/backendcloud/" + module + "/releases/download/v" + archive.Version + "/" + module + "-v" + archive.Version + ".tar.gz"
	if got := filled.Replace(source["url"].(string)); got != want {
		t.Errorf("source.template.json of %s names %s, the archive will be %s", name, got, want)
	}
	source["url"] = archive.URL
	source["integrity"] = archive.Integrity
	source["strip_prefix"] = filled.Replace(source["strip_prefix"].(string))
	writeJSON(t, dir, entry+"/source.json", source)

	metadata := readJSON(t, filepath.Join(templates, "metadata.template.json"))
	metadata["versions"] = []string{archive.Version}
	writeJSON(t, dir, path.Join("modules", name, "metadata.json"), metadata)
}

// WithoutOverrides returns the text of a MODULE.bazel whose archive overrides come last, after the line "# The test takes
// this away", without them.
func WithoutOverrides(t *testing.T, text []byte) []byte {
	t.Helper()
	kept, overrides, found := strings.Cut(string(text), "# The test takes this away")
	if !found || !strings.Contains(overrides, "archive_override(") {
		t.Fatalf("MODULE.bazel does not end with overrides:\n%s", overrides)
	}
	return []byte(kept)
}

func readJSON(t *testing.T, file string) map[string]any {
	t.Helper()
	var data map[string]any
	if err := json.Unmarshal(Read(t, file), &data); err != nil {
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
	Write(t, dir, file, append(text, '\n'), 0o644)
}
