package surface

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table into docs/compatibility.md")

// The table stands between these two lines.
const (
	begin = "<!-- Made by make docs from tests/api/surface. -->\n"
	end   = "<!-- The end of what is made. -->\n"
)

func load(t *testing.T) (*Surface, Lists) {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	lists, err := LoadLists()
	if err != nil {
		t.Fatal(err)
	}
	return s, lists
}

func TestTable(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "compatibility.md")
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q before a %q", page, begin, end)
	}
	table := "\n" + Table(load(t)) + "\n"
	switch {
	case table == old:
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table in %s is not what the lists say; make docs writes it", page)
	}
}

// Every line is about something that rules_docker has or these rules add to it.
func TestLists(t *testing.T) {
	s, lists := load(t)
	for _, line := range lists.Lines() {
		subject, is := cut(line)
		_, label := s.Labels[subject]
		_, repository := s.Repositories[strings.TrimPrefix(subject, "@")]
		file, name, _ := strings.Cut(subject, "%")
		name, _, _ = strings.Cut(name, ".")
		_, symbol := s.Find(file + "%" + name)
		if !label && !repository && !symbol || is == "" {
			t.Errorf("nothing in surface.json: %s", line)
		}
	}
}

func TestAliases(t *testing.T) {
	s, _ := load(t)
	for _, symbol := range s.Symbols {
		if symbol.AliasOf == "" {
			continue
		}
		if original, ok := s.Find(symbol.AliasOf); !ok || original.AliasOf != "" {
			t.Errorf("%s is an alias of %s", symbol.ID(), symbol.AliasOf)
		}
	}
}

// asFacts is what would be seen if everything were as it was in rules_docker.
func asFacts(s *Surface) Seen {
	seen := Seen{Symbols: map[string]SeenSymbol{}, Labels: map[string]string{}, Repositories: map[string]SeenRepository{}}
	for _, symbol := range s.Symbols {
		original := symbol
		if symbol.AliasOf != "" {
			original, _ = s.Find(symbol.AliasOf)
		}
		got := SeenSymbol{Type: s.starlarkType(symbol), Value: symbol.Value, Keys: symbol.Keys, Members: symbol.Members, Created: original.Creates}
		if symbol.Kind == "rule" || symbol.Kind == "repository_rule" {
			rule := &SeenRule{Class: original.Class, Executable: original.Executable || original.Test, Test: original.Test, Outputs: original.Outputs,
				Attributes: map[string]SeenAttribute{}}
			for name, a := range original.Attributes {
				var value any
				if json.Unmarshal(a.Default, &value) != nil {
					continue
				}
				rule.Attributes[name] = SeenAttribute{Type: a.Type, Default: value, Mandatory: a.Mandatory}
			}
			got.Rule = rule
		}
		seen.Symbols[symbol.ID()] = got
	}
	for label, kind := range s.Labels {
		seen.Labels[label] = kind
	}
	for name, r := range s.Repositories {
		seen.Repositories[name] = SeenRepository{Rule: r.Rule, Attributes: map[string]any{
			"registry": r.Registry, "repository": r.Repository, "digest": strings.Join(r.Pins[:min(1, len(r.Pins))], ""), "tag": "",
		}}
	}
	return seen
}

func TestDifferences(t *testing.T) {
	const (
		push  = "//container:push.bzl%container_push_"
		alias = "//container:container.docs.bzl%container_push"
	)
	tests := []struct {
		name   string
		change func(Seen)
		want   []string
	}{
		{"none", func(Seen) {}, nil},
		{"missing", func(s Seen) {
			delete(s.Symbols, "//skylib:path.bzl%join")
			delete(s.Labels, "//:debug")
			delete(s.Repositories, "go_image_base")
		}, []string{"//:debug: not there", "//skylib:path.bzl%join: not there", "@go_image_base: not there"}},
		{"kinds", func(s Seen) {
			s.Symbols["//skylib:path.bzl%join"] = SeenSymbol{Type: "rule"}
			s.Labels["//:debug"] = "filegroup"
			s.Repositories["go_image_base"] = SeenRepository{Rule: "http_file"}
		}, []string{
			"//:debug: is a filegroup, not a config_setting", "//skylib:path.bzl%join: is a rule, not a function",
			"@go_image_base: is <nil>", "@go_image_base: is a http_file, not a container_pull", "@go_image_base: is pulled from %!s(<nil>)/%!s(<nil>)",
		}},
		{"attributes", func(s Seen) {
			a := s.Symbols[push].Rule.Attributes
			delete(a, "tag_file")
			a["another"] = SeenAttribute{Type: "bool", Default: false}
			a["tag"] = SeenAttribute{Type: "string", Default: "newest"}
			a["skip_unchanged_digest"] = SeenAttribute{Type: "string", Default: ""}
			a["image"] = SeenAttribute{Type: "label", Default: ""}
		}, []string{
			alias + ": is not " + push,
			push + ".another: besides", push + ".image: mandatory false",
			push + `.skip_unchanged_digest: string with default "", not bool with default false`,
			push + `.tag: string with default "newest", not string with default "latest"`, push + ".tag_file: not there",
		}},
		{"what 0.16.0 had", func(s Seen) {
			s.Symbols[push].Rule.Attributes["stamp"] = SeenAttribute{Type: "bool", Default: false}
			s.Symbols[alias] = s.Symbols[push]
		}, nil},
		{"outputs, class", func(s Seen) {
			s.Symbols[push].Rule.Outputs = []string{"%{name}.sum"}
			s.Symbols[push].Rule.Class = "pusher"
			s.Symbols[push].Rule.Executable = false
		}, []string{
			alias + ": is not " + push,
			push + ": %{name}.sum besides", push + ": executable false, test false", push + ": has the class pusher, not container_push_",
			push + ": no %{name}.digest",
		}},
		{"constant, struct, macro", func(s Seen) {
			s.Symbols["//skylib:filetype.bzl%deb"] = SeenSymbol{Type: "list", Value: json.RawMessage(`[".deb"]`)}
			s.Symbols["//container:container.bzl%container"] = SeenSymbol{Type: "struct"}
			s.Symbols["//oci:oci.bzl%oci_push"] = SeenSymbol{Type: "function", Created: []string{"other NAME"}}
		}, []string{
			"//container:container.bzl%container.image: not there", "//oci:oci.bzl%oci_push: makes no container_push_ NAME",
			"//oci:oci.bzl%oci_push: makes other NAME", `//skylib:filetype.bzl%deb: is [".deb"]`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := load(t)
			seen := asFacts(s)
			test.change(seen)
			if got := s.Differences(seen); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestSignatureDifferences(t *testing.T) {
	s, _ := load(t)
	got := s.SignatureDifferences(Signatures{
		Parameters: map[string][]string{
			"//skylib:path.bzl%join":     {"path", "directory"},
			"//skylib:path.bzl%dirname":  {"path"},
			"//skylib:zip.bzl%gzip":      {"ctx", "artifact", "level="},
			"//container:push.bzl%other": {"x"},
		},
		Fields: map[string][]string{"//container:providers.bzl%BundleInfo": {"container_images", "more"}},
	})
	want := []string{
		"//container:providers.bzl%BundleInfo: field more besides", "//container:providers.bzl%BundleInfo: no field stamp",
		"//skylib:path.bzl%join: parameters in the order path, directory",
		"//skylib:zip.bzl%gzip: no parameter options=", "//skylib:zip.bzl%gzip: parameter level= besides",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range got {
		if !OfSignature(line) {
			t.Errorf("is not taken for one of a signature: %s", line)
		}
	}
}
