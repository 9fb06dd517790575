package surface

import (
	_ "embed"
	"fmt"
	"regexp"
)

//go:embed lists.json
var listsDocument []byte

// Lists says which differences there are, in lines as Differences returns them.
type Lists []List

// List is a group of differences.
type List struct {
	State State    `json:"state"`
	Why   string   `json:"why"`
	Lines []string `json:"lines"`
}

// State tells whether a difference is to stay.
type State string

// The states.
const (
	Deliberate State = "deliberate"
	NotYet     State = "not yet"
)

// LoadLists returns the lists.
func LoadLists() (Lists, error) {
	var lists Lists
	if err := decode(listsDocument, &lists); err != nil {
		return nil, fmt.Errorf("lists.json: %w", err)
	}
	known := map[string]bool{}
	for _, list := range lists {
		if list.State != Deliberate && list.State != NotYet || list.Why == "" {
			return nil, fmt.Errorf("lists.json: a list is %q because of %q", list.State, list.Why)
		}
		for _, line := range list.Lines {
			if known[line] {
				return nil, fmt.Errorf("lists.json: twice: %s", line)
			}
			known[line] = true
		}
	}
	return lists, nil
}

// Lines returns the lines of all lists.
func (l Lists) Lines() []string {
	var all []string
	for _, list := range l {
		all = append(all, list.Lines...)
	}
	return all
}

var signature = regexp.MustCompile(`: (no )?(parameters?|field) `)

// OfSignature tells whether a line is one of SignatureDifferences.
func OfSignature(line string) bool { return signature.MatchString(line) }
