package registry

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		text, want string // the whole name, or "" for an error
		err        string
	}{
		{text: "r.example/a", want: "r.example/a:latest"},
		{text: "r.example:5000/a/b_c.d--e:_x.Y-Z", want: "r.example:5000/a/b_c.d--e:_x.Y-Z"},
		{text: "r.example/a" + digest, want: "r.example/a" + digest},
		{text: "busybox" + digest, want: "index.docker.io/library/busybox" + digest},
		{text: "[::1]:5000/a:v1", want: "[::1]:5000/a:v1"},
		{text: "http://r.example/a", err: "without http://"},
		{text: "r.example//a:v1", err: "every '/' stands between two names"},
		{text: "r.example/a/:v1", err: "every '/' stands between two names"},
		{text: "r.example/a/../b:v1", err: "every '/' stands between two names"},
		{text: "r.example/./a", err: "every '/' stands between two names"},
		{text: "r.example/a:-v1", err: "a tag begins with"},
		{text: "r.example/a:.v1", err: "a tag begins with"},
		{text: "r.example:0/a:v1", err: "port 0 is not between 1 and 65535"},
		{text: "r.example:65536/a:v1", err: "port 65536 is not between 1 and 65535"},
		{text: "joe@r.example/a", err: "without user and password"},
	} {
		t.Run(c.text, func(t *testing.T) {
			ref, err := Parse(c.text)
			switch {
			case c.err == "" && (err != nil || ref.Name() != c.want):
				t.Errorf("got %v, %v, want %s", ref, err, c.want)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "HOST[:PORT]")):
				t.Errorf("got %v, %v, want %q", ref, err, c.err)
			}
		})
	}
}

func TestHidePassword(t *testing.T) {
	for _, text := range []string{
		"joe:secret@r.example:5000/a:v1",
		"joe:secret@r.example",
		":secret@r.example/a",
		"secret@r.example/a",
		"https://joe:secret@r.example/a:v1",
		"joe:secret@secret@r.example/a",
		"joe:x/secret@r.example/a",
		"joe:secret@a@sha256:00",
	} {
		t.Run(text, func(t *testing.T) {
			hidden := HidePassword(text)
			if strings.Contains(hidden, "secret") || !strings.Contains(hidden, "[redacted]@") {
				t.Errorf("got %s", hidden)
			}
			if _, err := Parse(text); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %v", err)
			}
		})
	}
	for _, text := range []string{
		"", "a", "r.example:5000/a:v1", "r.example:5000/a@sha256:00", "a@sha256:00", "r.example:5000/a@latest", "[::1]:5000/a@b",
	} {
		if got := HidePassword(text); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestTidySlashes(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "/": "", "r.example/": "r.example", "/a//b///": "a/b", "a/b": "a/b", "http://r/": "http://r/",
	} {
		if got := TidySlashes(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// A registry that a variable was to name is not forgotten.
func TestTidyReference(t *testing.T) {
	for text, want := range map[string]string{"//team//app:v1": "/team/app:v1", "r.example//a:v1": "r.example/a:v1", "a": "a"} {
		if got := TidyReference(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if _, err := Parse("/team/app:v1"); !errors.Is(err, errNoHost) {
		t.Errorf("got %v", err)
	}
}
