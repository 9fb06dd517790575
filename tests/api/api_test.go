// Package api tests, from a user's workspace with the release archive, that these rules
// offer what rules_docker offered: each symbol, attribute, default, output and label of
// surface.json, but for what lists.json says.
package api

import (
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

func TestSurface(t *testing.T) {
	s, err := surface.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []harness.Cell{{Bazel: "4.2.3"}, {Bazel: "7.7.1"}} {
		t.Run(c.String(), func(t *testing.T) {
			dir := harness.TempDir(t)
			writeWorkspace(t, dir, s)
			bazel := c.NewBazel(t, dir, harness.TempDir(t), harness.TempDir(t))
			seen := observe(t, bazel, s)
			for _, line := range s.Differences(seen) {
				t.Log(line)
			}
		})
	}
}
