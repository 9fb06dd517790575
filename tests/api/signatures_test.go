package api

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// signatures asks Bazel 7 for the parameters and fields that the files have in which
// something was seen.
func signatures(t *testing.T, bazel *harness.Bazel, seen surface.Seen) surface.Signatures {
	t.Helper()
	var all, files []string
	r := bazel.Run(t, "query", "--keep_going", "loadfiles(//symbols/...)")
	if r.Code != 0 && r.Code != 3 {
		t.Fatal(r)
	}
	for _, line := range strings.Fields(r.Stdout) {
		if label := surface.Label(line); strings.HasPrefix(label, "//") && label != "//:describe.bzl" {
			all = append(all, label)
		}
	}
	for id := range seen.Symbols {
		if file, _, _ := strings.Cut(id, "%"); !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	slices.Sort(all)
	slices.Sort(files)
	var b strings.Builder
	b.WriteString("filegroup(\n    name = \"all\",\n    srcs = [\n        \"@bazel_tools//tools:bzl_srcs\",\n")
	for _, label := range all {
		fmt.Fprintf(&b, "        %q,\n", "@io_bazel_rules_docker"+label)
	}
	b.WriteString("    ],\n)\n")
	for i, file := range files {
		fmt.Fprintf(&b, "\nstarlark_doc_extract(\n    name = \"file_%d\",\n    src = %q,\n    deps = [\":all\"],\n)\n", i, "@io_bazel_rules_docker"+file)
	}
	harness.Write(t, bazel.Workspace, "signatures/BUILD.bazel", []byte(b.String()), 0o644)
	bazel.Must(t, "build", "//signatures/...")

	found := surface.Signatures{Parameters: map[string][]string{}, Fields: map[string][]string{}}
	for i, file := range files {
		document := harness.Read(t, bazel.Bin(filepath.Join("signatures", fmt.Sprintf("file_%d.binaryproto", i))))
		parameters, fields, err := parseModule(document)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name, names := range parameters {
			found.Parameters[file+"%"+name] = names
		}
		for name, names := range fields {
			found.Fields[file+"%"+name] = names
		}
	}
	return found
}
