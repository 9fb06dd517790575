package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func start(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(context.Background(), Process{
		Args: args, Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Version: "1",
	})
	return code, err.String()
}

func TestPrograms(t *testing.T) {
	dir := t.TempDir()
	plan := func(name, text string) string {
		program := filepath.Join(dir, name)
		if err := os.WriteFile(program+text[:strings.Index(text, "{")], []byte(text[strings.Index(text, "{"):]), 0o600); err != nil {
			t.Fatal(err)
		}
		return program
	}
	link := func(name, target string) string {
		path := filepath.Join(dir, name)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "name the program"},
		{"a plan left behind", []string{"/x/image-push"}, 2, "image-push.push.json"},
		{"unknown program", []string{"imagetool", "painter"}, 2, "builder, compare_ids_test, create_image_config, digester, "},
		{"builder as an argument", []string{"/x/imagetool", "builder", "paint"}, 2, `no command "paint"`},
		{"builder by name", []string{"/x/builder", "paint"}, 2, `no command "paint"`},
		{"builder by its name on Windows", []string{"/x/builder.exe", "paint"}, 2, `no command "paint"`},
		{"builder fails", []string{"builder", "decompress", "--in=none", "--out=" + filepath.Join(dir, "o")}, 1, "ERROR: "},
		{"pusher by name", []string{"pusher"}, 1, "-dst"},
		{"a command by name", []string{"/x/digester"}, 1, "digester: Required option -dst was not specified."},
		{"a command as an argument", []string{"imagetool", "sha256", "a"}, 2, "sha256: usage: it takes"},
		{"a flag that a command does not have", []string{"zipper", "--colour=red"}, 2, "not defined: -colour; see zipper -help"},
		{"a link to a command", []string{link("tool", link("zipper.exe", "imagetool"))}, 1, "-src"},
		{"loader without an image", []string{"imagetool", "loader"}, 2, "no image beside this program"},
		{"a push plan beside it", []string{plan("builder", `.push.json{"version":7}`)}, 1, "version 7"},
		{"a test plan beside it", []string{plan("check", `.test.json{"version":9}`)}, 1, "version 9"},
		{"a load plan beside it", []string{plan("image", `.load.json{"version":8}`)}, 1, "version 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stderr := start(t, c.args...)
			if code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("exit code %d, %q; want %d, %q", code, stderr, c.code, c.want)
			}
		})
	}
}
