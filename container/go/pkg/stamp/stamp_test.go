package stamp

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func read(t *testing.T, files ...string) *Stamper {
	t.Helper()
	var paths []string
	for _, text := range files {
		f, err := os.CreateTemp(t.TempDir(), "status")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
		paths = append(paths, f.Name())
	}
	s, err := Read(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExpand(t *testing.T) {
	s := read(t, "STABLE_TAG v1\nEMPTY\nBLANK \nSPACED a b  c\nBOTH stable\n", "\nBOTH volatile\r\nNESTED {STABLE_TAG}\nQUOTED it's \"$(rm x)\" `y`;\nlower yes")
	for _, c := range []struct{ name, text, want string }{
		{"a key", "x:{STABLE_TAG}-y", "x:v1-y"},
		{"a line without a space", "[{EMPTY}]", "[]"},
		{"a line with nothing after the space", "[{BLANK}]", "[]"},
		{"a value with spaces", "{SPACED}", "a b  c"},
		{"the later file wins", "{BOTH}", "volatile"},
		{"values are not looked at again", "{NESTED}", "{STABLE_TAG}"},
		{"keys of any form", "{lower}", "yes"},
		{"quotes are text", "{QUOTED}", "it's \"$(rm x)\" `y`;"},
		{"unknown keys", "{OTHER} {} {STABLE_TAG", "{OTHER} {} {STABLE_TAG"},
		{"braces around", "{{STABLE_TAG}}", "{v1}"},
		{"braces before", "}{ {STABLE_TAG}", "}{ v1"},
		{"several", "{STABLE_TAG}{STABLE_TAG}", "v1v1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.Expand(c.text); got != c.want {
				t.Errorf("Expand(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestNothingRead(t *testing.T) {
	const text = "{BUILD_USER} {}"
	var none *Stamper
	for name, s := range map[string]*Stamper{"nil": none, "no files": read(t), "an empty file": read(t, "")} {
		t.Run(name, func(t *testing.T) {
			if got := s.Expand(text); got != text {
				t.Errorf("Expand = %q, want %q", got, text)
			}
			if got := s.Missing(text); !slices.Equal(got, []string{"BUILD_USER"}) {
				t.Errorf("Missing = %q", got)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	s := read(t, "KNOWN 1\nEMPTY\n")
	got := s.Missing("{B_2} {KNOWN} {EMPTY} {A} {B_2} {lower} {1X} {A B} {{C}}")
	if want := []string{"B_2", "A", "C"}; !slices.Equal(got, want) {
		t.Errorf("Missing = %q, want %q", got, want)
	}
}

func TestReadMissingFile(t *testing.T) {
	if _, err := Read(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v, want fs.ErrNotExist", err)
	}
}
