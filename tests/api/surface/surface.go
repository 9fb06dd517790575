// Package surface has what rules_docker offers to loading files, as facts, and compares
// with it what is seen of these rules.
package surface

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed surface.json
var document []byte

// Surface is what users of rules_docker can name. Where 0.16.0 and its last state
// differ, it is the last state with what 0.16.0 had besides.
type Surface struct {
	Symbols      []Symbol              `json:"symbols"`
	Labels       map[string]string     `json:"labels"`       // kind by label
	Repositories map[string]Repository `json:"repositories"` // what macros of a WORKSPACE define
}

// Symbol is a name that a .bzl file defines. Which fields are set depends on its kind.
type Symbol struct {
	File    string `json:"file"` // //PACKAGE:FILE
	Name    string `json:"name"`
	Kind    string `json:"kind"`     // rule, repository_rule, macro, function, provider, struct or constant
	AliasOf string `json:"alias_of"` // FILE%NAME, or ""

	// Rules.
	Class      string               `json:"class"` // what queries call it
	Executable bool                 `json:"executable"`
	Test       bool                 `json:"test"`
	Attributes map[string]Attribute `json:"attributes"` // those that users can set
	Outputs    []string             `json:"outputs"`    // %{name} is the target's name

	Fields  []string                   `json:"fields"`  // of a provider
	Members map[string]json.RawMessage `json:"members"` // of a struct: names of attributes, values, or a type

	// Constants: a type, keys of a dictionary, or a value.
	Type   string          `json:"type"`
	Keys   []string        `json:"keys"`
	Value  json.RawMessage `json:"value"`
	Before json.RawMessage `json:"before"` // the value in 0.16.0, if another

	// Macros and functions. A parameter with a default ends in "=".
	Parameters []string                   `json:"parameters"`
	Call       map[string]json.RawMessage `json:"call"`    // arguments of an example
	Creates    []string                   `json:"creates"` // what that makes: RULE NAME
}

// Attribute is an attribute of a rule.
type Attribute struct {
	Type      string          `json:"type"`
	Default   json.RawMessage `json:"default"` // a label is written in full; "" is none
	Mandatory bool            `json:"mandatory"`
	Before    *Attribute      `json:"before"` // type and default in 0.16.0, if others
}

// Repository is an external repository.
type Repository struct {
	Rule       string   `json:"rule"`
	Registry   string   `json:"registry"` // of a container_pull
	Repository string   `json:"repository"`
	Pins       []string `json:"pins"` // digests or tags, any of which will do
}

// ID is FILE%NAME.
func (s Symbol) ID() string { return s.File + "%" + s.Name }

// Load returns the facts.
func Load() (*Surface, error) {
	var s Surface
	if err := decode(document, &s); err != nil {
		return nil, fmt.Errorf("surface.json: %w", err)
	}
	return &s, nil
}

// Find returns the symbol with an ID.
func (s *Surface) Find(id string) (Symbol, bool) {
	for _, symbol := range s.Symbols {
		if symbol.ID() == id {
			return symbol, true
		}
	}
	return Symbol{}, false
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Label writes a label of these rules as //PACKAGE:NAME, whatever they are called where
// Bazel prints it.
func Label(text string) string {
	text = strings.Replace(text, "@@", "@", 1)
	return strings.TrimPrefix(text, "@io_bazel_rules_docker")
}
