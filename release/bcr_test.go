package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The files of .bcr have the shapes that the Bazel Central Registry's metadata schema,
// its presubmit and the tools that publish there ask for. That a source and metadata
// filled in from them work is tested by tests/e2e/bzlmod and tests/e2e/source.

// module is one of the two that are published.
type module struct{ name, folder string }

// each runs a test for both modules.
func each(t *testing.T, test func(t *testing.T, m module)) {
	t.Helper()
	for _, m := range []module{
		{"rules_docker_for_insecure_registries", "."},
		{"rules_docker_for_insecure_registries_source", "source"},
	} {
		t.Run(m.name, func(t *testing.T) { test(t, m) })
	}
}

// bcr reads the module's file of a name.
func (m module) bcr(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", ".bcr", m.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// strict reads JSON that has no fields but those of into.
func strict(t *testing.T, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestBCRMetadata(t *testing.T) { each(t, testBCRMetadata) }

func testBCRMetadata(t *testing.T, m module) {
	var metadata struct {
		Homepage    string
		Maintainers []struct {
			GitHub, Name, Email string
			// Who publishes has it filled in.
			UserID int64 `json:"github_user_id"`
		}
		Repository []string
		Versions   []string
		Yanked     map[string]string `json:"yanked_versions"`
	}
	strict(t, m.bcr(t, "metadata.template.json"), &metadata)
	if metadata.Homepage == "" || len(metadata.Maintainers) == 0 || metadata.Versions == nil || metadata.Yanked == nil {
		t.Errorf("incomplete: %+v", metadata)
	}
	for _, who := range metadata.Maintainers {
		if !regexp.MustCompile(`^[-a-zA-Z0-9]+$`).MatchString(who.GitHub) {
			t.Errorf("%q is no GitHub user", who.GitHub)
		}
	}
	if want := []string{"github:backendcloud/rules_docker_for_insecure_registries"}; !slices.Equal(metadata.Repository, want) {
		t.Errorf("repository %q, want %q", metadata.Repository, want)
	}
}

func TestBCRSource(t *testing.T) { each(t, testBCRSource) }

func testBCRSource(t *testing.T, m module) {
	var source struct {
		Integrity   string
		StripPrefix string `json:"strip_prefix"`
		URL         string
	}
	strict(t, m.bcr(t, "source.template.json"), &source)
	if source.Integrity != "" {
		t.Errorf("integrity is %q, and is for who publishes to fill in", source.Integrity)
	}
	if want := path.Join("{REPO}-{VERSION}", m.folder); source.StripPrefix != want {
		t.Errorf("strip_prefix %q, want %q", source.StripPrefix, want)
	}
	// An archive that is uploaded, since those that GitHub makes change.
	if want := "https://github.com/{OWNER}/{REPO}/releases/download/{TAG}/{REPO}-{TAG}.tar.gz"; source.URL != want {
		t.Errorf("url %q, want %q", source.URL, want)
	}
}

func TestBCRPresubmit(t *testing.T) { each(t, testBCRPresubmit) }

func testBCRPresubmit(t *testing.T, m module) {
	var presubmit struct {
		Matrix map[string][]string
		Tasks  map[string]struct {
			Name, Platform, Bazel string
			BuildTargets          []string `yaml:"build_targets"`
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(m.bcr(t, "presubmit.yml")))
	d.KnownFields(true)
	if err := d.Decode(&presubmit); err != nil {
		t.Fatal(err)
	}
	if len(presubmit.Matrix["platform"]) == 0 || !slices.Contains(presubmit.Matrix["bazel"], "7.x") || len(presubmit.Matrix) != 2 {
		t.Errorf("matrix %v", presubmit.Matrix)
	}
	task := presubmit.Tasks["verify_targets"]
	if task.Platform != "${{ platform }}" || task.Bazel != "${{ bazel }}" || len(task.BuildTargets) == 0 || len(presubmit.Tasks) != 1 {
		t.Errorf("tasks %+v", presubmit.Tasks)
	}
	for _, target := range task.BuildTargets {
		if !regexp.MustCompile("^@" + m.name + "//[a-z_/]*:[a-z_]+$").MatchString(target) {
			t.Errorf("%q is no target of the module", target)
		}
	}
}
