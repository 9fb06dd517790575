package main

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

func TestAddAttribute(t *testing.T) {
	text, err := os.ReadFile("../../" + example + "/" + buildFile)
	if err != nil {
		t.Fatal(err)
	}
	changed, diff, err := addAttribute(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Replace(changed, attribute+"\n", "", 1); got != string(text) {
		t.Errorf("more than a line was added:\n%s", changed)
	}
	const want = "     image = \":image\",\n+    insecure_repository = True,\n     registry = \"127.0.0.2:5000\",\n"
	if diff != want {
		t.Errorf("difference\n%s\nwant\n%s", diff, want)
	}
}

func TestAddAttributeNeedsAPush(t *testing.T) {
	if _, _, err := addAttribute("container_image(\n    name = \"image\",\n)\n"); err == nil {
		t.Error("no error")
	}
}

func TestMention(t *testing.T) {
	if err := mention("a b", "a", "b"); err != nil {
		t.Error(err)
	}
	if err := mention("a b", "a", "c"); err == nil || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("error %v, want one that names c", err)
	}
}

func TestQuoted(t *testing.T) {
	text := "# Title\npushed a@sha256:" + strings.Repeat("0", 64) + "\nread: one, two, ...\ndone\n"
	if err := quoted(text, "pushed a@sha256:"+strings.Repeat("f", 64)+"\nread: one, two, three\ndone\n"); err != nil {
		t.Error(err)
	}
	for _, output := range []string{"pushed a\n", "read: one, three\n"} {
		if err := quoted(text, output); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(output)) {
			t.Errorf("error %v, want one that has the line %q", err, output)
		}
	}
}

// What README.md shows of the example is the example.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../" + readme)
	if err != nil {
		t.Fatal(err)
	}
	build, err := os.ReadFile("../../" + example + "/" + buildFile)
	if err != nil {
		t.Fatal(err)
	}
	_, diff, err := addAttribute(string(build))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{string(build), diff} {
		if !strings.Contains(string(text), want) {
			t.Errorf("README.md lacks\n%s", want)
		}
	}
}

func TestIndent(t *testing.T) {
	if got, want := indent("a\n\n b\n"), "    a\n\n     b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunNeedsAnArchive(t *testing.T) {
	t.Setenv(workspace.ArchiveVariable, "")
	if err := run(context.Background(), io.Discard); err == nil || !strings.Contains(err.Error(), workspace.ArchiveVariable) {
		t.Errorf("error %v, want one that names the variable", err)
	}
}

func TestChatter(t *testing.T) {
	const output = "INFO: Found 1 target...\n12.3: src/main/tools/linux-sandbox.cc:1: x\npushing\n"
	if got := chatter.ReplaceAllString(output, ""); got != "pushing\n" {
		t.Errorf("got %q", got)
	}
}
