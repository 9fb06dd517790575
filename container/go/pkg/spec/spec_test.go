package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		version          bool
	}{
		{name: "as written", text: `{"version":1,"target":"//a:b","entrypoint":null,"cmd":[]}`},
		{name: "another version", text: `{"version":2}`, want: "version 2", version: true},
		{name: "no version", text: `{}`, want: "version 0", version: true},
		{name: "a field of another release", text: `{"version":1,"colour":"red"}`, want: "colour"},
		{name: "two documents", text: `{"version":1}{"version":1}`, want: "text after"},
		{name: "not JSON", text: `version: 1`, want: "decoding"},
		{name: "another type", text: `{"version":1,"layers":"a"}`, want: "layers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var i Image
			err := Decode([]byte(c.text), &i)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if i.Entrypoint != nil || i.Cmd == nil {
					t.Errorf("null and [] are told apart badly: %#v", i)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if errors.Is(err, ErrVersion) != c.version {
				t.Errorf("ErrVersion: %v", !c.version)
			}
		})
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	if _, err := Read[PushPlan](path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"version":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read[PushPlan](path); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), path) {
		t.Errorf("an error that does not name the file: %v", err)
	}
}
