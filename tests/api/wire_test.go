package api

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/api/surface"
)

// message is a protocol buffer without its schema: the values of each field, in order.
type message map[int][]value

// value is a varint or the bytes of anything longer.
type value struct {
	number uint64
	bytes  []byte
}

var errWire = errors.New("not a protocol buffer")

// parseMessage reads a message (https://protobuf.dev/programming-guides/encoding/). The
// two kinds that Bazel's answers are made of are enough.
func parseMessage(data []byte) (message, error) {
	m := message{}
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 {
			return nil, errWire
		}
		data = data[n:]
		number, n := binary.Uvarint(data)
		if n <= 0 {
			return nil, errWire
		}
		data = data[n:]
		field := int(tag >> 3)
		switch tag & 7 {
		case 0:
			m[field] = append(m[field], value{number: number})
		case 2:
			if uint64(len(data)) < number {
				return nil, errWire
			}
			m[field] = append(m[field], value{bytes: data[:number]})
			data = data[number:]
		default:
			return nil, fmt.Errorf("%w of varints and bytes: field %d has wire type %d", errWire, field, tag&7)
		}
	}
	return m, nil
}

func (m message) text(field int) string {
	if len(m[field]) == 0 {
		return ""
	}
	return string(m[field][0].bytes)
}

func (m message) texts(field int) []string {
	var all []string
	for _, v := range m[field] {
		all = append(all, string(v.bytes))
	}
	return all
}

func (m message) number(field int) uint64 {
	if len(m[field]) == 0 {
		return 0
	}
	return m[field][0].number
}

func (m message) messages(field int) ([]message, error) {
	var all []message
	for _, v := range m[field] {
		sub, err := parseMessage(v.bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, sub)
	}
	return all, nil
}

// target is a rule in the answer of "bazel query --output=proto".
type target struct {
	name       string
	class      string
	attributes map[string]attribute
	outputs    []string
}

type attribute struct {
	kind  string // as attr. in Starlark, or "" for one that rules cannot have
	value any    // as encoding/json has it
	set   bool   // by whoever made the target
}

// Attribute.Discriminator of Bazel's build.proto.
const (
	typeInteger    = 1
	typeString     = 2
	typeLabel      = 3
	typeOutput     = 4
	typeStringList = 5
	typeLabelList  = 6
	typeStringDict = 10
	typeBoolean    = 14
)

// parseTargets reads a QueryResult of Bazel's build.proto, of which only the rules count.
func parseTargets(answer []byte) ([]target, error) {
	result, err := parseMessage(answer)
	if err != nil {
		return nil, err
	}
	targets, err := result.messages(1)
	if err != nil {
		return nil, err
	}
	var all []target
	for _, t := range targets {
		rules, err := t.messages(2)
		if err != nil {
			return nil, err
		}
		for _, rule := range rules {
			attributes, err := rule.messages(4)
			if err != nil {
				return nil, err
			}
			found := target{name: rule.text(1), class: rule.text(2), outputs: rule.texts(6), attributes: map[string]attribute{}}
			for _, a := range attributes {
				if found.attributes[a.text(1)], err = parseAttribute(a); err != nil {
					return nil, err
				}
			}
			all = append(all, found)
		}
	}
	return all, nil
}

func parseAttribute(a message) (attribute, error) {
	set := a.number(13) != 0
	switch a.number(2) {
	case typeInteger:
		return attribute{"int", float64(int32(a.number(3))), set}, nil
	case typeString:
		return attribute{"string", a.text(5), set}, nil
	case typeLabel:
		return attribute{"label", surface.Label(a.text(5)), set}, nil
	case typeOutput:
		return attribute{"output", surface.Label(a.text(5)), set}, nil
	case typeStringList:
		return attribute{"string_list", list(a.texts(6)), set}, nil
	case typeLabelList:
		return attribute{"label_list", list(a.texts(6)), set}, nil
	case typeBoolean:
		return attribute{"bool", a.number(14) != 0, set}, nil
	case typeStringDict:
		entries, err := a.messages(8)
		dict := map[string]any{}
		for _, e := range entries {
			dict[e.text(1)] = e.text(2)
		}
		return attribute{"string_dict", dict, set}, err
	}
	return attribute{}, nil
}

func list(texts []string) []any {
	all := []any{}
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}

// stars are those of a parameter that takes any number of values, by its usual name:
// Bazel 7 does not tell them apart.
func stars(name string) string {
	if name == "args" {
		return "*"
	}
	return "**"
}

// parseModule reads a ModuleInfo of Bazel's stardoc_output.proto: the parameters of
// functions, as surface.Symbol has them, and the fields of providers.
func parseModule(document []byte) (parameters, fields map[string][]string, err error) {
	module, err := parseMessage(document)
	if err != nil {
		return nil, nil, err
	}
	parameters, fields = map[string][]string{}, map[string][]string{}
	functions, err := module.messages(3)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range functions {
		found, err := f.messages(2)
		if err != nil {
			return nil, nil, err
		}
		names := []string{}
		for _, p := range found {
			name := p.text(1)
			switch mandatory, byDefault := p.number(4) != 0, p.text(3); {
			case !mandatory && byDefault == "": // it takes any number of values
				name = stars(name) + name
			case !mandatory:
				name += "="
			}
			names = append(names, name)
		}
		parameters[f.text(1)] = names
	}
	providers, err := module.messages(2)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range providers {
		found, err := p.messages(3)
		if err != nil {
			return nil, nil, err
		}
		names := []string{}
		for _, f := range found {
			names = append(names, f.text(1))
		}
		slices.Sort(names)
		fields[p.text(1)] = names
	}
	return parameters, fields, nil
}
