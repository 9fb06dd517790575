package surface

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Differences says what of the surface is not as it was, one line each, sorted.
func (s *Surface) Differences(seen Seen) []string {
	var d lines
	for _, symbol := range s.Symbols {
		got, ok := seen.Symbols[symbol.ID()]
		if !ok {
			d.add(symbol.ID(), "not there")
			continue
		}
		if want := s.starlarkType(symbol); want != "" && got.Type != want {
			d.add(symbol.ID(), "is a %s, not a %s", got.Type, want)
			if symbol.Kind != "repository_rule" {
				continue // that is as good if it makes the same repository
			}
		}
		s.symbolDifferences(&d, symbol, got, seen)
	}
	for label, kind := range s.Labels {
		switch got, ok := seen.Labels[label]; {
		case !ok:
			d.add(label, "not there")
		case got != kind:
			d.add(label, "is a %s, not a %s", got, kind)
		}
	}
	for name, want := range s.Repositories {
		repositoryDifferences(&d, "@"+name, want, seen.Repositories[name])
	}
	slices.Sort(d)
	return d
}

type lines []string

func (l *lines) add(subject, format string, args ...any) {
	*l = append(*l, subject+": "+fmt.Sprintf(format, args...))
}

// starlarkType is what type() says of a symbol, or "" if its value says more.
func (s *Surface) starlarkType(symbol Symbol) string {
	switch symbol.Kind {
	case "macro", "function":
		return "function"
	case "provider":
		return "Provider"
	case "constant":
		return symbol.Type
	}
	return symbol.Kind
}

func (s *Surface) symbolDifferences(d *lines, symbol Symbol, got SeenSymbol, seen Seen) {
	id := symbol.ID()
	original := symbol
	if symbol.AliasOf != "" {
		original, _ = s.Find(symbol.AliasOf)
	}
	switch symbol.Kind {
	case "rule", "repository_rule":
		if symbol.AliasOf == "" {
			ruleDifferences(d, id, symbol, got.Rule)
		} else if !reflect.DeepEqual(got.Rule, seen.Symbols[symbol.AliasOf].Rule) {
			d.add(id, "is not %s", symbol.AliasOf)
		}
	case "macro":
		missing, besides := CompareSets(original.Creates, got.Created)
		for _, rule := range missing {
			d.add(id, "makes no %s", rule)
		}
		for _, rule := range besides {
			d.add(id, "makes %s", rule)
		}
	case "struct":
		for name, want := range symbol.Members {
			if have, ok := got.Members[name]; !ok {
				d.add(id+"."+name, "not there")
			} else {
				memberDifferences(d, id+"."+name, want, have)
			}
		}
	case "constant":
		switch {
		case symbol.Keys != nil:
			memberSets(d, id, symbol.Keys, got.Keys)
		case symbol.Value != nil && !equalJSON(symbol.Value, got.Value) && !equalJSON(symbol.Before, got.Value):
			d.add(id, "is %s", got.Value)
		}
	}
}

func ruleDifferences(d *lines, id string, want Symbol, got *SeenRule) {
	if got == nil {
		d.add(id, "makes no target")
		return
	}
	if got.Class != want.Class {
		d.add(id, "has the class %s, not %s", got.Class, want.Class)
	}
	if got.Executable != (want.Executable || want.Test) || got.Test != want.Test {
		d.add(id, "executable %t, test %t", got.Executable, got.Test)
	}
	for name, a := range want.Attributes {
		have, ok := got.Attributes[name]
		if !ok {
			d.add(id+"."+name, "not there")
			continue
		}
		if have.Mandatory != a.Mandatory {
			d.add(id+"."+name, "mandatory %t", have.Mandatory)
		}
		if !a.is(have) && (a.Before == nil || !a.Before.is(have)) {
			text, _ := json.Marshal(have.Default)
			d.add(id+"."+name, "%s with default %s, not %s with default %s", have.Type, text, a.Type, a.Default)
		}
	}
	for name := range got.Attributes {
		if _, ok := want.Attributes[name]; !ok {
			d.add(id+"."+name, "besides")
		}
	}
	memberSets(d, id, want.Outputs, got.Outputs)
}

func (a Attribute) is(got SeenAttribute) bool {
	var want any
	if json.Unmarshal(a.Default, &want) != nil {
		return false
	}
	return a.Type == got.Type && reflect.DeepEqual(want, got.Default)
}

func memberDifferences(d *lines, id string, want, got json.RawMessage) {
	var wantNames, gotNames []string
	if json.Unmarshal(want, &wantNames) == nil && json.Unmarshal(got, &gotNames) == nil {
		memberSets(d, id, wantNames, gotNames)
	} else if !equalJSON(want, got) {
		d.add(id, "is %s, not %s", got, want)
	}
}

func memberSets(d *lines, id string, want, got []string) {
	missing, besides := CompareSets(want, got)
	for _, name := range missing {
		d.add(id, "no %s", name)
	}
	for _, name := range besides {
		d.add(id, "%s besides", name)
	}
}

func repositoryDifferences(d *lines, id string, want Repository, got SeenRepository) {
	if got.Rule == "" {
		d.add(id, "not there")
		return
	}
	if got.Rule != want.Rule && got.Rule != want.Rule+"_" {
		d.add(id, "is a %s, not a %s", got.Rule, want.Rule)
	}
	if want.Rule != "container_pull" {
		return
	}
	if got.Attributes["registry"] != want.Registry || got.Attributes["repository"] != want.Repository {
		d.add(id, "is pulled from %s/%s", got.Attributes["registry"], got.Attributes["repository"])
	}
	pin := got.Attributes["digest"]
	if pin == "" {
		pin = got.Attributes["tag"]
	}
	if text, _ := pin.(string); !slices.Contains(want.Pins, text) {
		d.add(id, "is %v", pin)
	}
}

// SignatureDifferences does for parameters and for fields of providers what Differences
// does for the rest.
func (s *Surface) SignatureDifferences(got Signatures) []string {
	var d lines
	for _, symbol := range s.Symbols {
		id := symbol.ID()
		if fields, ok := got.Fields[id]; ok && symbol.Kind == "provider" {
			missing, besides := CompareSets(symbol.Fields, fields)
			for _, name := range missing {
				d.add(id, "no field %s", name)
			}
			for _, name := range besides {
				d.add(id, "field %s besides", name)
			}
		}
		parameters, ok := got.Parameters[id]
		if !ok || symbol.AliasOf != "" || symbol.Kind != "macro" && symbol.Kind != "function" {
			continue
		}
		missing, besides := CompareSets(symbol.Parameters, parameters)
		for _, name := range missing {
			d.add(id, "no parameter %s", name)
		}
		for _, name := range besides {
			d.add(id, "parameter %s besides", name)
		}
		if missing == nil && besides == nil && !slices.Equal(symbol.Parameters, parameters) {
			d.add(id, "parameters in the order %s", strings.Join(parameters, ", "))
		}
	}
	slices.Sort(d)
	return d
}

// CompareSets returns what is only in want and what is only in got, sorted; nil is nothing.
func CompareSets(want, got []string) (missing, besides []string) {
	in := map[string]int{}
	for _, name := range want {
		in[name] |= 1
	}
	for _, name := range got {
		in[name] |= 2
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		switch in[name] {
		case 1:
			missing = append(missing, name)
		case 2:
			besides = append(besides, name)
		}
	}
	return missing, besides
}

func equalJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
