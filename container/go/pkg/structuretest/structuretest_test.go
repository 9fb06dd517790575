package structuretest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// layers writes an image of two layers.
func layers(t *testing.T) []string {
	t.Helper()
	var paths []string
	for n, headers := range [][]tar.Header{
		{
			{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755},
			{Name: "etc/conf", Typeflag: tar.TypeReg, Mode: 0o640, Uid: 7, Gid: 8},
			{Name: "etc/gone", Typeflag: tar.TypeReg, Mode: 0o644},
			{Name: "conf", Typeflag: tar.TypeSymlink, Linkname: "/etc/conf"},
			{Name: "e", Typeflag: tar.TypeSymlink, Linkname: "etc"},
		},
		{
			{Name: "etc/.wh.gone", Typeflag: tar.TypeReg},
			{Name: "bin/run", Typeflag: tar.TypeReg, Mode: 0o700},
			{Name: "bin/again", Typeflag: tar.TypeLink, Linkname: "bin/run"},
		},
	} {
		var data bytes.Buffer
		w := tar.NewWriter(&data)
		for _, h := range headers {
			content := ""
			if h.Typeflag == tar.TypeReg {
				content = "this is " + h.Name + "\n"
			}
			h.Size = int64(len(content))
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			w.Write([]byte(content))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "layer.tar")
		if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
			t.Fatalf("layer %d: %v", n, err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestCheck(t *testing.T) {
	image := &v1.ConfigFile{Config: v1.Config{
		Env: []string{"A=1", "B=x=y"}, Labels: map[string]string{"l": "v1.2"}, Entrypoint: []string{"/run"},
		ExposedPorts: map[string]struct{}{"80/tcp": {}}, Volumes: map[string]struct{}{"/data": {}}, WorkingDir: "/w", User: "7",
	}}
	for _, c := range []struct{ name, text, want string }{
		{"there", "fileExistenceTests: [{path: /etc/conf, permissions: -rw-r-----, uid: 7, gid: 8}]", ""},
		{"a folder", "fileExistenceTests: [{path: /etc, permissions: drwxr-xr-x}, {path: /bin/}, {path: /}]", ""},
		{"a link is one itself", "fileExistenceTests: [{path: /conf, permissions: Lrwxrwxrwx}]", "has permissions L---------"},
		{"through a link", "fileExistenceTests: [{path: /e/conf}]", ""},
		{"hidden", "fileExistenceTests: [{path: /etc/gone}]", "/etc/gone is not there"},
		{"should not be there", "fileExistenceTests: [{path: /etc/conf, shouldExist: false}, {path: /etc/gone, shouldExist: false}]", "/etc/conf is there, and should not be"},
		{"uid", "fileExistenceTests: [{path: /etc/conf, uid: 0}]", "user 7, want 0"},
		{"gid", "fileExistenceTests: [{path: /etc/conf, gid: 0}]", "group 8, want 0"},
		{"executable", "fileExistenceTests: [{path: /bin/run, isExecutableBy: owner}, {path: /bin/run, isExecutableBy: any}]", ""},
		{"not executable", "fileExistenceTests: [{path: /bin/run, isExecutableBy: other}]", "other cannot execute it"},
		{"content", `fileContentTests: [{path: /etc/conf, expectedContents: ["^this is .*conf\n$"], excludedContents: [nothing]}]`, ""},
		{"content through links", "fileContentTests: [{path: /conf, expectedContents: [this]}, {path: /bin/again, expectedContents: [bin/run]}]", ""},
		{"other content", "fileContentTests: [{path: /etc/conf, expectedContents: [that]}]", `no match of "that"`},
		{"unwanted content", "fileContentTests: [{path: /etc/conf, excludedContents: [this]}]", `has a match of "this"`},
		{"content of a folder", "fileContentTests: [{path: /etc, expectedContents: [x]}]", "/etc is no file"},
		{"content of nothing", "fileContentTests: [{path: /x, expectedContents: [x]}]", "/x is not there"},
		{"variables", `metadataTest: {env: [{key: A, value: "1"}], envVars: [{key: B, value: "^x", isRegex: true}], unboundEnvVars: [{key: C}]}`, ""},
		{"other value", `metadataTest: {env: [{key: B, value: "x"}]}`, `variable B is "x=y", want "x"`},
		{"no match", `metadataTest: {labels: [{key: l, value: "^2", isRegex: true}]}`, `label l is "v1.2", which has no match`},
		{"not set", `metadataTest: {labels: [{key: m, value: ""}]}`, "label m is not set"},
		{"set", "metadataTest: {unboundEnvVars: [{key: A}]}", "should not be set"},
		{"the rest", `metadataTest: {entrypoint: [/run], cmd: [], exposedPorts: ["80"], unexposedPorts: ["81"], volumes: [/data], unmountedVolumes: [/x], workdir: /w, user: "7"}`, ""},
		{"entrypoint", "metadataTest: {entrypoint: []}", `entrypoint is ["/run"]`},
		{"cmd", "metadataTest: {cmd: [x]}", "cmd is []"},
		{"port", `metadataTest: {exposedPorts: ["80/udp"]}`, "port 80/udp is not declared"},
		{"volume", "metadataTest: {unmountedVolumes: [/data]}", "volume /data is declared"},
		{"workdir", "metadataTest: {workdir: /x}", `workdir is "/w"`},
		{"user", "metadataTest: {user: root}", `user is "7"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, err := Parse([]byte("schemaVersion: 2.0.0\n" + c.text))
			if err != nil {
				t.Fatal(err)
			}
			files, err := ReadFiles(context.Background(), layers(t), []Config{config}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var failures []string
			for _, r := range config.Check(files, image) {
				failures = append(failures, r.Failures...)
			}
			if got := strings.Join(failures, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const version = "schemaVersion: 2.0.0\n"
	for _, c := range []struct {
		name, text, want string
		unsupported      bool
	}{
		{"no version", "", "schemaVersion", true},
		{"another version", "schemaVersion: 1.0.0", `"1.0.0"`, true},
		{"commands", version + "commandTests: [{name: x, command: y}]", "commandTests", true},
		{"licenses", version + "licenseTests: [{debian: true}]", "licenseTests", true},
		{"misspelt", version + "fileExistanceTests: []", "fileExistanceTests", false},
		{"no path", version + "fileExistenceTests: [{name: x}]", `"x" has no path`, false},
		{"who", version + "fileExistenceTests: [{path: x, isExecutableBy: me}]", `"me"`, false},
		{"expression", version + "fileContentTests: [{path: x, expectedContents: ['(']}]", "missing closing", false},
		{"expression of a label", version + "metadataTest: {labels: [{key: x, value: '(', isRegex: true}]}", "missing closing", false},
		{"no YAML", "{", "yaml", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnsupported) != c.unsupported {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
