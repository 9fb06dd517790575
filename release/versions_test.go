package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/release/bundle"
)

// find returns the first group of a pattern in a file of the checkout.
func find(t *testing.T, file, pattern string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	groups := regexp.MustCompile("(?ms)" + pattern).FindSubmatch(data)
	if groups == nil {
		t.Errorf("%s has nothing like %s", file, pattern)
		return ""
	}
	return string(groups[1])
}

// What neither Go nor Starlark can read from one place has to be said alike in all.
func TestSaidAlike(t *testing.T) {
	version, err := bundle.ReadVersion("..")
	if err != nil {
		t.Fatal(err)
	}
	type place struct{ file, pattern string }
	const module = "MODULE.bazel"
	const source = "source/MODULE.bazel"
	const workspace = "tests/e2e/source/WORKSPACE"
	const flags = "tests/e2e/source/.bazelrc"
	for name, c := range map[string]struct {
		want   string
		places []place
	}{
		"version": {version, []place{
			{module, `^module\(.*?^    version = "([^"]*)"`},
			{source, `^module\(.*?^    version = "([^"]*)"`},
			{source, `^bazel_dep\(name = "rules_docker_for_insecure_registries", version = "([^"]*)"`},
			{"container/go/cmd/imagetool/version.bzl", `^VERSION = "([^"]*)"`},
		}},
		"rules_go": {find(t, "go.mod", `bazelbuild/rules_go v(\S+)`), []place{
			{module, `^bazel_dep\(name = "rules_go", version = "([^"]*)"`},
			{source, `^bazel_dep\(name = "rules_go", version = "([^"]*)"`},
			{"tests/e2e/source/MODULE.bazel", `name = "rules_go",\s*version = "([^"]*)"`},
			{workspace, `/rules_go-v([0-9.]*)\.zip"`},
		}},
		"gazelle": {find(t, "tests/setup/tools/gazelle/go.mod", `bazelbuild/bazel-gazelle v(\S+)`), []place{
			{module, `^bazel_dep\(name = "gazelle", version = "([^"]*)"`},
			{source, `^bazel_dep\(name = "gazelle", version = "([^"]*)"`},
			{workspace, `/bazel-gazelle-v([0-9.]*)\.tar\.gz"`},
		}},
		// What users are told is what is tested.
		"WORKSPACE": {find(t, workspace, `^# From here to "End"[^\n]*\n(.*?)\n# End\.$`), []place{
			{"docs/source.md", `^## With a WORKSPACE\n.*?^\x60{3}starlark\n(.*?)^\x60{3}$`},
		}},
		"flag in a WORKSPACE": {find(t, flags, `^build:source-WORKSPACE (.*?)$`), []place{
			{"docs/source.md", `^## With a WORKSPACE\n.*?^build (--.*?)$`},
		}},
		"flag with Bzlmod": {find(t, flags, `^build:source-Bzlmod (.*?)$`), []place{
			{"docs/source.md", `^## With Bzlmod\n.*?^build (--.*?)$`},
		}},
		"Go modules": {find(t, module, `^use_repo\(\s*go_deps,(.*?)^\)`), []place{
			{source, `^use_repo\(\s*go_deps,(.*?)^\)`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range c.places {
				if got := find(t, p.file, p.pattern); got != c.want {
					t.Errorf("%s says %q, elsewhere it is %q", p.file, got, c.want)
				}
			}
		})
	}
}
