package surface

import "encoding/json"

// Seen is what Bazel shows of these rules.
type Seen struct {
	Symbols      map[string]SeenSymbol     // by FILE%NAME; those that are not there are missing
	Labels       map[string]string         // kind by label
	Repositories map[string]SeenRepository // by name
}

// SeenSymbol is a symbol as a BUILD file finds it.
type SeenSymbol struct {
	Type    string                     `json:"type"`    // Starlark's name of it
	Value   json.RawMessage            `json:"value"`   // of a constant
	Keys    []string                   `json:"keys"`    // of a dictionary of attributes
	Members map[string]json.RawMessage `json:"members"` // of a struct
	Rule    *SeenRule                  `json:"-"`       // of a rule or repository rule
	Created []string                   `json:"-"`       // what the call of a macro made: RULE NAME
}

// SeenRule is a target without attributes, as a query shows it.
type SeenRule struct {
	Class      string
	Executable bool
	Test       bool
	Attributes map[string]SeenAttribute
	Outputs    []string // %{name} is the target's name
}

// SeenAttribute is an attribute that was not set.
type SeenAttribute struct {
	Type      string
	Default   any // as encoding/json has it
	Mandatory bool
}

// SeenRepository is an external repository as a query shows it.
type SeenRepository struct {
	Rule       string
	Attributes map[string]any
}

// Signatures are what starlark_doc_extract of Bazel 7 tells, by FILE%NAME.
type Signatures struct {
	Parameters map[string][]string // as Symbol has them
	Fields     map[string][]string // of providers
}
