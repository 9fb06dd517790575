package jsontext

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"first line", `{"a": x}`, "line 1: invalid character"},
		{"third line", "{\n\n  \"a\": x}\n", "line 3: invalid character"},
		{"end", "{\n", "line 2: unexpected end"},
		{"type", "{\n\"a\": \"text\"\n}", "line 2: json: cannot unmarshal string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var into struct{ A []string }
			cause := json.Unmarshal([]byte(c.text), &into)
			err := Locate([]byte(c.text), cause)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || !errors.Is(err, cause) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	other := errors.New("something else")
	if err := Locate(nil, other); err != other {
		t.Errorf("got %v", err)
	}
}
