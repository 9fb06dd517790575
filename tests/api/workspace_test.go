package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// folder is the package in which the i-th symbol is looked at. Each has its own, so that
// one that is not there does not hide the others.
func folder(i int) string { return fmt.Sprintf("symbols/%03d", i) }

// define begins a WORKSPACE.
const define = `workspace(name = "app")

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

http_archive(
    name = "io_bazel_rules_docker",
    sha256 = %q,
    strip_prefix = %q,
    urls = [%q],
)
`

// describe is a Starlark file that says what a symbol is, in an attribute of a target.
const describe = `
def _public(names):
    return sorted([n for n in names if not n.startswith("_")])

def _member(v):
    if type(v) == "dict" and [x for x in v.values() if type(x) == "Attribute"]:
        return _public(v)
    if type(v) == "dict":
        return sorted(v.values())
    return v if type(v) == "list" else type(v)

def describe(symbol, fields):
    about = {"type": type(symbol)}
    if type(symbol) == "struct":
        names = [n for n in dir(symbol) if n not in ("to_json", "to_proto")]
        about["members"] = {n: _member(getattr(symbol, n)) for n in names}
    elif type(symbol) == "Provider":
        symbol(**{name: None for name in fields}) # fails if it has no such field
    elif type(symbol) == "select":
        about["value"] = repr(symbol)
    elif type(symbol) == "dict" and [x for x in symbol.values() if type(x) == "Attribute"]:
        about["keys"] = _public(symbol)
    elif type(symbol) in ("dict", "list", "string"):
        about["value"] = symbol
    return json.encode(about)

def _impl(_ctx):
    pass

fact = rule(implementation = _impl, attrs = {"about": attr.string()})

# What every rule has.
plain = rule(implementation = _impl)
plain_executable = rule(implementation = _impl, executable = True)
plain_test = rule(implementation = _impl, test = True)
plain_repository = repository_rule(implementation = _impl)
`

// writeWorkspace makes a user's workspace in which every symbol is loaded, described and,
// if it is a rule or a macro, used.
func writeWorkspace(t *testing.T, dir string, s *surface.Surface) {
	t.Helper()
	write := func(name, text string) { harness.Write(t, dir, name, []byte(text), 0o644) }
	write("WORKSPACE", workspaceFile(t, setup))
	write("BUILD.bazel", `load(":describe.bzl", "plain", "plain_executable", "plain_test")

plain(name = "plain")
plain_executable(name = "executable")
plain_test(name = "plain_test")
`)
	write("describe.bzl", describe)
	for i, symbol := range s.Symbols {
		write(folder(i)+"/BUILD.bazel", symbolFile(t, s, symbol))
	}
}

// setup are all macros that define repositories, each after the file that has it.
const setup = `repositories:repositories.bzl repositories
repositories:deps.bzl deps
repositories:go_repositories.bzl go_deps
repositories:py_repositories.bzl py_deps
repositories:images.bzl images
cc:image.bzl repositories
d:image.bzl repositories
go:image.bzl repositories
groovy:image.bzl repositories
java:image.bzl repositories
kotlin:image.bzl repositories
nodejs:image.bzl repositories
python:image.bzl repositories
python3:image.bzl repositories
rust:image.bzl repositories
scala:image.bzl repositories`

// workspaceFile is a WORKSPACE that calls macros, one "FILE MACRO" a line, and has more.
func workspaceFile(t *testing.T, macros string, more ...string) string {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, define, release.SHA256, release.StripPrefix, release.URL)
	for i, line := range strings.Split(macros, "\n") {
		file, macro, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, "\nload(\"@io_bazel_rules_docker//%s\", macro_%d = %q)\n\nmacro_%d()\n", file, i, macro, i)
	}
	for _, text := range more {
		b.WriteString("\n" + text)
	}
	return b.String()
}

func symbolFile(t *testing.T, s *surface.Surface, symbol surface.Symbol) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "load(\"//:describe.bzl\", \"describe\", \"fact\")\nload(%q, symbol = %q)\n\n",
		"@io_bazel_rules_docker"+symbol.File, symbol.Name)
	fmt.Fprintf(&b, "fact(name = \"fact\", about = describe(symbol, %s))\n\n", starlark(t, symbol.Fields))
	if symbol.AliasOf != "" && symbol.Kind == "macro" {
		original, _ := s.Find(symbol.AliasOf)
		symbol.Call = original.Call
	}
	switch {
	case symbol.Kind == "rule":
		b.WriteString("symbol(name = \"NAME\")\n")
		if symbol.Test {
			return strings.ReplaceAll(b.String(), `"NAME"`, `"NAME_test"`)
		}
	case symbol.Kind == "macro" && symbol.Call["name"] != nil:
		b.WriteString("symbol(\n")
		for _, name := range slices.Sorted(maps.Keys(symbol.Call)) {
			fmt.Fprintf(&b, "    %s = %s,\n", name, symbol.Call[name])
		}
		b.WriteString(")\n")
	}
	return b.String()
}

// repositoryRule uses a repository rule, with a value for what is mandatory but for
// what is left out.
func repositoryRule(symbol surface.Symbol, i int, leftOut string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "load(%q, rule_%d = %q)\n\nrule_%d(\n    name = \"repository_%d\",\n",
		"@io_bazel_rules_docker"+symbol.File, i, symbol.Name, i, i)
	for _, name := range slices.Sorted(maps.Keys(symbol.Attributes)) {
		if symbol.Attributes[name].Mandatory && name != leftOut {
			fmt.Fprintf(&b, "    %s = \"//:BUILD.bazel\",\n", name)
		}
	}
	b.WriteString(")\n")
	return b.String()
}

// starlark writes a list of names; JSON's lists of texts are Starlark's.
func starlark(t *testing.T, names []string) string {
	t.Helper()
	if names == nil {
		names = []string{}
	}
	text, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
