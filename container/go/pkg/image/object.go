package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// object is a JSON object of which only the members that we change are understood.
// The others keep the very bytes of their values, whatever they are.
type object map[string]json.RawMessage

// parseObject reads an object; none at all and null are an empty one.
func parseObject(data []byte) (object, error) {
	o := object{}
	if len(data) == 0 {
		return o, nil
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, err
	}
	if o == nil {
		o = object{}
	}
	return o, nil
}

// member reads an object within the object.
func (o object) member(key string) (object, error) {
	m, err := parseObject(o[key])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return m, nil
}

// get decodes a member; one that is absent leaves v as it is.
func (o object) get(key string, v any) error {
	if len(o[key]) == 0 {
		return nil
	}
	if err := json.Unmarshal(o[key], v); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// encode writes the object compactly: the known keys first and in their order, then
// the others sorted.
func (o object) encode(known ...string) json.RawMessage {
	var out bytes.Buffer
	put := func(key string) {
		if _, ok := o[key]; !ok {
			return
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(encode(key))
		out.WriteByte(':')
		// Cannot fail: all values come from a decoder or an encoder.
		_ = json.Compact(&out, o[key])
	}
	out.WriteByte('{')
	for _, key := range known {
		put(key)
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, key) {
			put(key)
		}
	}
	out.WriteByte('}')
	return out.Bytes()
}

// dropEmpty removes those of the keys whose value says nothing.
func (o object) dropEmpty(keys ...string) {
	for _, key := range keys {
		var compact bytes.Buffer
		_ = json.Compact(&compact, o[key])
		switch compact.String() {
		case "", "null", `""`, "false", "[]", "{}":
			delete(o, key)
		}
	}
}

// encodable are types that always have a JSON form.
type encodable interface {
	string | []string | []v1.Hash | []json.RawMessage | historyEntry | v1.Manifest
}

// encode is compact JSON in which <, > and & stay readable, as all but Go's own
// encoder write them.
func encode[T encodable](v T) json.RawMessage {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // cannot fail, see encodable
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
