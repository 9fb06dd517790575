// Package api tests, from a user's workspace with the release archive, that these rules
// offer what rules_docker offered: each symbol, attribute, default, output and label of
// surface/surface.json, but for what surface/lists.json says.
package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

func TestSurface(t *testing.T) {
	s, err := surface.Load()
	if err != nil {
		t.Fatal(err)
	}
	lists, err := surface.LoadLists()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []harness.Cell{{Bazel: "4.2.3"}, {Bazel: "7.7.1"}} {
		t.Run(c.String(), func(t *testing.T) {
			dir := harness.TempDir(t)
			writeWorkspace(t, dir, s)
			bazel := c.NewBazel(t, dir, harness.TempDir(t), harness.TempDir(t))
			seen := observe(t, bazel, s)
			t.Run("use", func(t *testing.T) { testUse(t, bazel) })
			t.Run("transition", func(t *testing.T) { testTransition(t, bazel) })
			t.Run("lazy", func(t *testing.T) { testLazy(t, bazel, s) })

			differences := s.Differences(seen)
			listed := lists.Lines()
			if c.Bazel == "4.2.3" {
				// It does not tell signatures.
				listed = slices.DeleteFunc(listed, surface.OfSignature)
			} else {
				differences = append(differences, s.SignatureDifferences(signatures(t, bazel, seen))...)
			}
			unlisted, untrue := surface.CompareSets(differences, listed)
			if unlisted != nil {
				t.Errorf("differs from rules_docker, and is not in surface/lists.json:\n%s", strings.Join(unlisted, "\n"))
			}
			if untrue != nil {
				t.Errorf("is in surface/lists.json, and is not so:\n%s", strings.Join(untrue, "\n"))
			}
		})
	}
}
