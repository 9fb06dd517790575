package launch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func noEnv(string) string { return "" }

func TestFind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bazel bin")
	tool := write(t, filepath.Join(dir, "imagetool"), "")
	push := link(t, tool, filepath.Join(dir, "cmd", "image-push"))
	write(t, push+".push.json", "{}")
	load := link(t, tool, filepath.Join(dir, "cmd", "image"))
	write(t, load+".load.json", "{}")
	windows := write(t, filepath.Join(dir, "win", "image-push.EXE"), "")
	write(t, filepath.Join(dir, "win", "image-push.push.json"), "{}")
	dotted := link(t, tool, filepath.Join(dir, "cmd", "v1.2.exe"))
	write(t, dotted+".push.json", "{}")
	absolute := link(t, push, filepath.Join(dir, "elsewhere", "absolute"))
	relative := link(t, "../cmd/image-push", filepath.Join(dir, "elsewhere", "relative"))
	loop := link(t, "loop", filepath.Join(dir, "loop"))
	if err := os.Mkdir(filepath.Join(dir, "folder.push.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	folder := link(t, tool, filepath.Join(dir, "folder"))
	t.Setenv("PATH", filepath.Join(dir, "cmd"))

	pushPlan := Plan{Path: push + ".push.json", Kind: Push, Program: push}
	cases := []struct {
		name, argv0, goos string
		want              Plan
		none              bool
	}{
		{name: "push", argv0: push, want: pushPlan},
		{name: "load", argv0: load, want: Plan{Path: load + ".load.json", Kind: Load, Program: load}},
		{name: "PATH", argv0: "image-push", want: pushPlan},
		{name: "not on PATH", argv0: "imagetool", none: true},
		{name: "the tool itself", argv0: tool, none: true},
		{name: "absolute link", argv0: absolute, want: pushPlan},
		{name: "relative link", argv0: relative, want: pushPlan},
		{name: "link to itself", argv0: loop, none: true},
		{name: "plan is a directory", argv0: folder, none: true},
		{name: "empty", argv0: "", none: true},
		{name: "exe on Windows", argv0: windows, goos: "windows", want: Plan{
			Path:    filepath.Join(dir, "win", "image-push.push.json"),
			Kind:    Push,
			Program: filepath.Join(dir, "win", "image-push")}},
		{name: "exe elsewhere", argv0: windows, none: true},
		{name: "exe in a target's name", argv0: dotted, want: Plan{Path: dotted + ".push.json", Kind: Push, Program: dotted}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			goos := c.goos
			if goos == "" {
				goos = "linux"
			}
			got, ok := find(c.argv0, goos)
			if ok == c.none || got != c.want {
				t.Errorf("find(%q) = %+v, %v; want %+v, %v", c.argv0, got, ok, c.want, !c.none)
			}
		})
	}
	t.Run("relative argv0", func(t *testing.T) {
		t.Chdir(filepath.Join(dir, "cmd"))
		got, ok := Find("./image-push")
		if !ok || filepath.Base(got.Path) != "image-push.push.json" || !filepath.IsAbs(got.Path) {
			t.Errorf("Find = %+v, %v", got, ok)
		}
	})
}

func TestRunfiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with space")
	own := filepath.Join(dir, "own", "push")
	write(t, own+".runfiles/ws/a.json", "own")
	write(t, own+".runfiles/base/layer.tar", "own")
	link(t, filepath.Join(dir, "in a remote cache"), own+".runfiles/ws/left")
	other := filepath.Join(dir, "all", "push-all.runfiles")
	inner := write(t, filepath.Join(other, "ws", "cmd", "push"), "")
	write(t, filepath.Join(other, "ws", "a.json"), "enclosing")
	nested := write(t, filepath.Join(other, "ws", "x.runfiles", "ws", "push"), "")
	write(t, filepath.Join(other, "ws", "x.runfiles", "ws", "a.json"), "innermost")
	env := filepath.Join(dir, "env")
	write(t, filepath.Join(env, "ws", "a.json"), "environment")
	write(t, filepath.Join(env, "ws", "only-env"), "environment")

	real := write(t, filepath.Join(dir, "real files", "a.json"), "manifest")
	tree := filepath.Join(dir, "real files")
	manifest := "ws/a.json " + real + "\r\n" +
		" ws/with\\sspace.json " + real + "\r\n" +
		"ws/tree " + tree + "\r\n" +
		"ws/gone " + filepath.Join(dir, "gone") + "\r\n" +
		"ws/empty \r\n"
	windows := filepath.Join(dir, "win", "push")
	write(t, windows+".exe.runfiles_manifest", manifest)
	bare := filepath.Join(dir, "bare", "push")
	write(t, bare+".runfiles/MANIFEST", manifest)
	lone := filepath.Join(dir, "lone", "push")
	envManifest := write(t, filepath.Join(dir, "env_manifest"), manifest)
	mapped := filepath.Join(dir, "mapped", "push")
	mapping := write(t, filepath.Join(dir, "mapping"), ",ws,base\n")
	write(t, mapped+".runfiles_manifest", "_repo_mapping "+mapping+"\nws/a.json "+real+"\n")

	cases := []struct {
		name, argv0, path string
		env               map[string]string
		want              string // content; "" for an error
		wantErr           []string
	}{
		{name: "own directory", argv0: own, path: "ws/a.json", want: "own"},
		{name: "external repository", argv0: own, path: "ws/../base/layer.tar", want: "own"},
		{name: "own before environment", argv0: own, path: "ws/a.json", want: "own",
			env: map[string]string{"RUNFILES_DIR": env, "RUNFILES_MANIFEST_FILE": envManifest}},
		{name: "missing in own, environment", argv0: own, path: "ws/only-env", want: "environment",
			env: map[string]string{"RUNFILES_DIR": env}},
		{name: "enclosing", argv0: inner, path: "ws/a.json", want: "enclosing"},
		{name: "innermost enclosing", argv0: nested, path: "ws/a.json", want: "innermost"},
		{name: "Windows manifest, exe stripped", argv0: windows, path: "ws/a.json", want: "manifest"},
		{name: "Windows manifest, exe given", argv0: windows + ".exe", path: "ws/a.json", want: "manifest"},
		{name: "escaped space", argv0: windows, path: "ws/with space.json", want: "manifest"},
		{name: "below a tree", argv0: windows, path: "ws/tree/a.json", want: "manifest"},
		{name: "manifest in a bare directory", argv0: bare, path: "ws/a.json", want: "manifest"},
		{name: "repository mapping does not apply", argv0: mapped, path: "ws/a.json", want: "manifest"},
		{name: "RUNFILES_DIR", argv0: lone, path: "ws/a.json", want: "environment",
			env: map[string]string{"RUNFILES_DIR": env, "RUNFILES_MANIFEST_FILE": envManifest}},
		{name: "RUNFILES_MANIFEST_FILE", argv0: lone, path: "ws/a.json", want: "manifest",
			env: map[string]string{"RUNFILES_MANIFEST_FILE": envManifest, "PYTHON_RUNFILES": env}},
		{name: "PYTHON_RUNFILES", argv0: lone, path: "ws/a.json", want: "environment",
			env: map[string]string{"PYTHON_RUNFILES": env}},
		{name: "none", argv0: lone, path: "ws/a.json", wantErr: []string{"ws/a.json", lone, "bazel run"}},
		{name: "missing", argv0: own, path: "ws/b.json", wantErr: []string{"ws/b.json", own + ".runfiles"}},
		{name: "listed but gone", argv0: windows, path: "ws/gone", wantErr: []string{"ws/gone", "--remote_download_toplevel"}},
		{name: "left in a remote cache", argv0: own, path: "ws/left", wantErr: []string{"ws/left", "--remote_download_toplevel"}},
		{name: "escaping", argv0: own, path: "../secret", wantErr: []string{"../secret"}},
		{name: "absolute", argv0: own, path: "/etc/passwd", wantErr: []string{"/etc/passwd"}},
		{name: "empty", argv0: own, path: "", wantErr: []string{"not a runfiles path"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			getenv := func(key string) string { return c.env[key] }
			got, err := Runfiles(c.argv0, getenv)(c.path)
			if len(c.wantErr) > 0 {
				if err == nil {
					t.Fatalf("got %s, want an error", got)
				}
				for _, want := range c.wantErr {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("error %q does not contain %q", err, want)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(got)
			if err != nil || string(data) != c.want {
				t.Errorf("%s holds %q, %v; want %q", got, data, err, c.want)
			}
		})
	}
	t.Run("error matches", func(t *testing.T) {
		if _, err := Runfiles(own, noEnv)("ws/nothing"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v does not match ErrNotFound", err)
		}
	})
}
