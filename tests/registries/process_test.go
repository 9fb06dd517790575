package registries_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// TestStartsAgain: a registry that found its port taken is given another.
func TestStartsAgain(t *testing.T) {
	dir := t.TempDir()
	program := script(t, dir, `[ -e "$0.first" ] || { : >"$0.first"; exit 1; }`+"\n"+`exec docker-registry "$@"`)
	registry, err := registries.StartDistribution(context.Background(), dir, registries.Program(program))
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, registry.Addr(), "", ""); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if requests := registry.Requests(); len(requests) != 1 {
		t.Errorf("requests %q, want the one just made", requests)
	}
	if err := registry.Close(); err != nil {
		t.Error(err)
	}
}

func TestDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	program := script(t, dir, `echo "no disk" >&2; echo again >>"$0.starts"; exit 1`)
	_, err := registries.StartDistribution(context.Background(), dir, registries.Program(program))
	if err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("it says: %v", err)
	}
	starts, err := os.ReadFile(program + ".starts")
	if err != nil || strings.Count(string(starts), "again") != 3 {
		t.Errorf("starts: %q, %v", starts, err)
	}
}

func script(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
