package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// query runs a query whose packages may have errors, as that is how a symbol that is not
// there shows, and returns the rules and what was said.
func query(t *testing.T, bazel *harness.Bazel, expression string) ([]target, string) {
	t.Helper()
	r := bazel.Run(t, "query", "--keep_going", "--output=proto", expression)
	if r.Code != 0 && r.Code != 3 {
		t.Fatal(r)
	}
	targets, err := parseTargets([]byte(r.Stdout))
	if err != nil {
		t.Fatalf("%s: %v", r.Args, err)
	}
	return targets, r.Stderr
}

// missingValue is how Bazel says that an attribute is mandatory.
var missingValue = regexp.MustCompile(`//(symbols/[0-9]+):\S+: missing value for mandatory attribute '(\w+)'`)

// observe looks at all symbols, labels and repositories.
func observe(t *testing.T, bazel *harness.Bazel, s *surface.Surface) surface.Seen {
	t.Helper()
	seen := surface.Seen{Symbols: map[string]surface.SeenSymbol{}, Labels: map[string]string{}, Repositories: map[string]surface.SeenRepository{}}
	targets, said := query(t, bazel, "//...")
	common := commonAttributes(targets)
	mandatory := map[string][]string{}
	for _, m := range missingValue.FindAllStringSubmatch(said, -1) {
		mandatory[m[1]] = append(mandatory[m[1]], m[2])
	}
	made := map[string][]target{}
	for _, found := range targets {
		pkg, name, _ := strings.Cut(strings.TrimPrefix(found.name, "//"), ":")
		if name != "fact" {
			made[pkg] = append(made[pkg], found)
		}
	}
	for _, found := range targets {
		pkg, name, _ := strings.Cut(strings.TrimPrefix(found.name, "//"), ":")
		if name != "fact" {
			continue
		}
		var i int
		if _, err := fmt.Sscanf(pkg, "symbols/%d", &i); err != nil {
			t.Fatal(err)
		}
		symbol := s.Symbols[i]
		seen.Symbols[symbol.ID()] = seenSymbol(t, symbol, found, made[pkg], common, mandatory[pkg])
	}
	seenRepositories(t, bazel, s, seen)
	seenLabels(t, bazel, s, seen)
	return seen
}

// commonAttributes are those that a rule has by itself.
func commonAttributes(targets []target) map[string]bool {
	common := map[string]bool{}
	for _, found := range targets {
		if strings.HasPrefix(found.name, "//:") {
			for name := range found.attributes {
				common[name] = true
			}
		}
	}
	return common
}

func seenSymbol(t *testing.T, symbol surface.Symbol, fact target, made []target, common map[string]bool, mandatory []string) surface.SeenSymbol {
	t.Helper()
	about, _ := fact.attributes["about"].value.(string)
	var seen surface.SeenSymbol
	if err := json.Unmarshal([]byte(about), &seen); err != nil {
		t.Fatalf("%s: %v in %s", symbol.ID(), err, about)
	}
	if seen.Type == "select" {
		seen.Value = selectValue(t, seen.Value)
	}
	switch symbol.Kind {
	case "rule":
		for _, found := range made {
			seen.Rule = seenRule(found, common, mandatory)
		}
	case "macro":
		for _, found := range made {
			_, name, _ := strings.Cut(found.name, ":")
			seen.Created = append(seen.Created, found.class+" "+name)
		}
	}
	return seen
}

// choice is a condition and its value in what Starlark prints of a select().
var choice = regexp.MustCompile(`(?:Label\()?"([^"]*)"\)?: (?:Label\()?"([^"]*)"`)

func selectValue(t *testing.T, printed json.RawMessage) json.RawMessage {
	t.Helper()
	var text string
	if err := json.Unmarshal(printed, &text); err != nil {
		t.Fatal(err)
	}
	choices := map[string]string{}
	for _, m := range choice.FindAllStringSubmatch(text, -1) {
		choices[surface.Label(m[1])] = surface.Label(m[2])
	}
	data, err := json.Marshal(choices)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func seenRule(found target, common map[string]bool, mandatory []string) *surface.SeenRule {
	rule := &surface.SeenRule{Class: found.class, Attributes: map[string]surface.SeenAttribute{}}
	executable, _ := found.attributes["$is_executable"].value.(bool)
	_, rule.Test = found.attributes["flaky"]
	rule.Executable = executable || rule.Test
	for name, a := range found.attributes {
		if common[name] || !('a' <= name[0] && name[0] <= 'z') {
			continue
		}
		if text, ok := a.value.(string); ok && a.set && text != "" {
			a.value = "" // of what is mandatory, and so has no other default
		}
		rule.Attributes[name] = surface.SeenAttribute{Type: a.kind, Default: a.value, Mandatory: slices.Contains(mandatory, name)}
	}
	_, base, _ := strings.Cut(found.name, ":")
	for _, output := range found.outputs {
		_, name, _ := strings.Cut(output, ":")
		rule.Outputs = append(rule.Outputs, strings.Replace(name, base, "%{name}", 1))
	}
	return rule
}

// seenRepositories looks at what the macros of a WORKSPACE define, and at repository rules.
func seenRepositories(t *testing.T, bazel *harness.Bazel, s *surface.Surface, seen surface.Seen) {
	t.Helper()
	var uses []string
	for i, symbol := range s.Symbols {
		if _, ok := seen.Symbols[symbol.ID()]; ok && symbol.Kind == "repository_rule" {
			if original, ok := s.Find(symbol.AliasOf); ok {
				symbol.Attributes = original.Attributes
			}
			uses = append(uses, repositoryRule(symbol, i, ""))
		}
	}
	writeWorkspaceFile := func(text string) {
		harness.Write(t, bazel.Workspace, "WORKSPACE", []byte(text), 0o644)
	}
	writeWorkspaceFile(workspaceFile(t, setup, uses...) + "\nload(\"//:describe.bzl\", \"plain_repository\")\n\nplain_repository(name = \"plain\")\n")
	targets, _ := query(t, bazel, "//external:*")
	common := map[string]bool{}
	for _, found := range targets {
		if found.name == "//external:plain" {
			for name := range found.attributes {
				common[name] = true
			}
		}
	}
	for _, found := range targets {
		_, name, _ := strings.Cut(found.name, ":")
		var i int
		if _, err := fmt.Sscanf(name, "repository_%d", &i); err == nil {
			id := s.Symbols[i].ID()
			symbol := seen.Symbols[id]
			symbol.Rule = seenRule(found, common, nil)
			seen.Symbols[id] = symbol
			continue
		}
		attributes := map[string]any{}
		for name, a := range found.attributes {
			attributes[name] = a.value
		}
		seen.Repositories[name] = surface.SeenRepository{Rule: found.class, Attributes: attributes}
	}

	// Values that are set say nothing of defaults, and a WORKSPACE ends at the first error.
	for i, symbol := range s.Symbols {
		rule := seen.Symbols[symbol.ID()].Rule
		if symbol.Kind != "repository_rule" || symbol.AliasOf != "" || rule == nil {
			continue
		}
		for name, a := range symbol.Attributes {
			if !a.Mandatory {
				continue
			}
			writeWorkspaceFile(workspaceFile(t, setup, repositoryRule(symbol, i, name)))
			r := bazel.Run(t, "query", "//external:*")
			required := r.Code != 0 && strings.Contains(r.Stderr, "missing value for mandatory attribute '"+name+"'")
			for _, alias := range s.Symbols {
				if used := seen.Symbols[alias.ID()].Rule; used != nil && (alias.AliasOf == symbol.ID() || alias.ID() == symbol.ID()) {
					got := used.Attributes[name]
					got.Mandatory = required
					used.Attributes[name] = got
				}
			}
		}
	}
	writeWorkspaceFile(workspaceFile(t, setup))
}

// seenLabels lists the targets of the packages that have labels in rules_docker. Others
// may need more than what is here, such as the Go rules.
func seenLabels(t *testing.T, bazel *harness.Bazel, s *surface.Surface, seen surface.Seen) {
	t.Helper()
	packages := map[string]bool{}
	for label := range s.Labels {
		name, _, _ := strings.Cut(label, ":")
		packages["@io_bazel_rules_docker"+name+":*"] = true
	}
	r := bazel.Run(t, "query", "--keep_going", "--output=label_kind", strings.Join(slices.Sorted(maps.Keys(packages)), " + "))
	if r.Code != 0 && r.Code != 3 {
		t.Fatal(r)
	}
	for _, line := range strings.Split(strings.TrimSpace(r.Stdout), "\n") {
		i := strings.LastIndex(line, " ")
		seen.Labels[surface.Label(line[i+1:])] = strings.TrimSuffix(line[:i], " rule")
	}
}
