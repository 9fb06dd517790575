package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
)

func TestLoad(t *testing.T) {
	w := newWorld(t, "bazel/p:x")
	w.Args = []string{"--ignored", "--", "too"}
	w.Plan.ToolFlags = []string{"--host", "unix:///a b"}
	if err := Run(t.Context(), w.Params); err != nil {
		t.Fatal(err)
	}
	calls := w.calls(t)
	if len(calls) != 3 || calls[0] != `["/bin/docker" "--host" "unix:///a b" "load"]` ||
		!strings.Contains(calls[1], `"RepoTags":["bazel/p:x"]`) || calls[2] != "loaded 2 layers" {
		t.Errorf("calls %q", calls)
	}
	want := fmt.Sprintf("Loaded image ID: sha256:%s\nTagging %s as bazel/p:x\n", w.ids[0], w.ids[0])
	if got := w.stdout.String(); got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
}

func TestLoadBundle(t *testing.T) {
	w := newWorld(t, "127.0.0.2:5000/a", "b/{STABLE_X}:{STABLE_X}")
	status := w.log + ".status"
	if err := os.WriteFile(status, []byte("STABLE_X it's\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	resolve := w.Resolve
	w.Resolve = func(path string) (string, error) {
		if path == "status" {
			return status, nil
		}
		return resolve(path)
	}
	w.Plan.Tarball.StampFiles = []string{"status"}
	if err := Run(t.Context(), w.Params); err != nil {
		t.Fatal(err)
	}
	for n, tag := range []string{"127.0.0.2:5000/a:latest", "b/it's:it's"} {
		line := fmt.Sprintf("Tagging %s as %s\n", w.ids[n], tag)
		if !strings.Contains(w.stdout.String(), line) {
			t.Errorf("stdout %q, want %q in it", w.stdout.String(), line)
		}
		if !strings.Contains(w.calls(t)[1], `"RepoTags":["`+tag+`"]`) {
			t.Errorf("loaded %s, want the tag %s in it", w.calls(t)[1], tag)
		}
	}
	if w.Plan.Tarball.Images[0].Tag != "127.0.0.2:5000/a" || w.Plan.Tarball.StampFiles[0] != "status" {
		t.Error("the caller's plan was changed")
	}
}

// An image that the tool has, under whatever name, only gets its name.
func TestLoadAgain(t *testing.T) {
	for _, c := range []struct {
		name, fail string
		has        func(ids []string) string
		want       []string
	}{
		{"all there", "", func(ids []string) string { return "sha256:" + ids[0] + " sha256:" + ids[1] }, []string{"tag", "tag"}},
		{"one there", "", func(ids []string) string { return "sha256:" + ids[1] }, []string{"load"}},
		{"tagging fails", "3", func(ids []string) string { return "sha256:" + ids[0] + " sha256:" + ids[1] }, []string{"tag"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a:b", "c:d")
			w.fake["FAKE_HAS"], w.fake["FAKE_TAG"] = c.has(w.ids), c.fail
			err := Run(t.Context(), w.Params)
			if (err != nil) != (c.fail != "") {
				t.Fatalf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "docker tag sha256:") {
				t.Errorf("got %v, want the call in it", err)
			}
			var got []string
			for _, call := range w.calls(t) {
				if args := strings.Split(strings.Trim(call, "[]"), " "); strings.HasPrefix(call, "[\"/") {
					got = append(got, strings.Trim(args[1], `"`))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("calls %q, want %q", got, c.want)
			}
			if strings.Contains(w.stderr.String(), "no such image") {
				t.Errorf("stderr %q", w.stderr.String())
			}
		})
	}
}

func TestRunContainer(t *testing.T) {
	for _, c := range []struct {
		name, flags string
		args        []string
		want        string // the second call; "" for none
	}{
		{"default options", "-i --rm --network=host", nil, `"run" "-i" "--rm" "--network=host" "a:b"`},
		{"options and arguments", "-i", []string{"-p", "8080:80", "--", "serve", "--", "-v"}, `"run" "-i" "-p" "8080:80" "a:b" "serve" "--" "-v"`},
		{"words of a shell", `-e 'A=b c' -e "D=$HOME" -v ${HOME}:/h -e E=\$F ''`, nil,
			`"run" "-e" "A=b c" "-e" "D=/home/me" "-v" "/home/me:/h" "-e" "E=$F" "" "a:b"`},
		{"the user's words stay whole", "", []string{"-e", "A=$HOME b;c", "--", "it's", "a  b", "`x`"},
			`"run" "-e" "A=$HOME b;c" "a:b" "it's" "a  b" "` + "`x`" + `"`},
		{"--norun", "-i", []string{"-p", "1:1", "--norun", "--", "x"}, ""},
		{"--norun for the container", "-i", []string{"--", "--norun"}, `"run" "-i" "a:b" "--norun"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a:b")
			w.env["HOME"] = "/home/me"
			w.Plan.Run, w.Plan.RunFlags, w.Plan.ToolFlags, w.Args = true, c.flags, []string{"-D"}, c.args
			if err := Run(t.Context(), w.Params); err != nil {
				t.Fatal(err)
			}
			calls := w.calls(t)
			if c.want == "" {
				if len(calls) != 3 || strings.Contains(w.stdout.String(), "container") {
					t.Errorf("calls %q, want a load only", calls)
				}
				return
			}
			if want := `["/bin/docker" "-D" ` + c.want + `]`; len(calls) != 4 || calls[3] != want {
				t.Errorf("calls %q, want the last to be %s", calls, want)
			}
			if !strings.HasSuffix(w.stdout.String(), "as a:b\ncontainer got \"from the user\"\n") {
				t.Errorf("stdout %q", w.stdout.String())
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	w := newWorld(t, "a:b")
	w.Plan.Run = true
	w.fake["FAKE_RUN"] = "42"
	err := Run(t.Context(), w.Params)
	var exit interface{ ExitCode() int }
	if !errors.As(err, &exit) || exit.ExitCode() != 42 {
		t.Errorf("err = %v, want exit code 42", err)
	}
	if w.stderr.String() != "fake failure\n" {
		t.Errorf("stderr %q", w.stderr.String())
	}
}

func TestFindTool(t *testing.T) {
	for _, c := range []struct {
		name, tool, env string
		path            []string
		want            string // or part of the error
	}{
		{"docker first", "", "", []string{"podman", "docker"}, "/bin/docker"},
		{"podman else", "", "", []string{"podman"}, "/bin/podman"},
		{"the environment", "", "nerdctl", []string{"docker", "nerdctl"}, "/bin/nerdctl"},
		{"the plan", "podman", "docker", []string{"docker", "podman"}, "/bin/podman"},
		{"the plan's path", "/opt/docker", "", []string{"docker", "/opt/docker"}, "/bin//opt/docker"},
		{"the plan's runfile", "ws/log", "", []string{"docker"}, "no tool of that name on PATH"},
		{"the plan's absent runfile", "other/docker", "", []string{"docker"}, "no runfile other/docker"},
		{"the plan's absent tool", "podman", "", []string{"docker"}, "the docker toolchain names podman"},
		{"the environment's absent tool", "", "x", []string{"docker"}, "the environment variable DOCKER names x"},
		{"none", "", "", nil, "neither docker nor podman found: install either, name one in the environment variable DOCKER, or give docker_path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a:b")
			w.path = map[string]string{}
			for _, name := range c.path {
				w.path[name] = "/bin/" + name
			}
			w.Plan.Tool, w.env["DOCKER"] = c.tool, c.env
			if c.tool == "ws/log" {
				resolved, err := w.Resolve(c.tool)
				if err != nil {
					t.Fatal(err)
				}
				w.path[resolved] = "/runfiles/tool"
				c.want = "/runfiles/tool"
			}
			err := Run(t.Context(), w.Params)
			if strings.HasPrefix(c.want, "/") {
				if calls := w.calls(t); err != nil || calls[0] != fmt.Sprintf(`[%q "load"]`, c.want) {
					t.Errorf("calls %q, %v; want %s", calls, err, c.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "//p:x: ") {
				t.Errorf("err = %v, want one with //p:x and %q", err, c.want)
			}
			if len(c.path) == 0 && !errors.Is(err, ErrNoTool) {
				t.Errorf("err = %v, want ErrNoTool", err)
			}
		})
	}
}

func TestBadPlans(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world)
		want   string
	}{
		{"an open quote", func(w *world) { w.Plan.RunFlags = `-e "A` }, "docker_run_flags"},
		{"a command", func(w *world) { w.Plan.RunFlags = `-i; rm x` }, "docker_run_flags"},
		{"a substitution", func(w *world) { w.Plan.RunFlags = `-i $(rm x` }, "docker_run_flags"},
		{"two images to run", func(w *world) {
			w.Plan.Tarball.Images = append(w.Plan.Tarball.Images, w.Plan.Tarball.Images[0])
			w.Plan.Tarball.Images[1].Tag = "c:d"
		}, "there are 2 images"},
		{"no such runfile", func(w *world) { w.Plan.Tarball.Images[0].Config = "no/config.json" }, "no runfile no/config.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a:b")
			w.Plan.Run = true
			c.change(w)
			err := Run(t.Context(), w.Params)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "//p:x") {
				t.Errorf("err = %v, want one with //p:x and %q", err, c.want)
			}
			if calls := w.calls(t); calls != nil {
				t.Errorf("the tool was called: %q", calls)
			}
		})
	}
}

func TestLoadFails(t *testing.T) {
	w := newWorld(t, "a:b")
	w.Plan.Run = true
	w.fake["FAKE_LOAD"] = "3"
	err := Run(t.Context(), w.Params)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "//p:x: docker load failed") {
		t.Errorf("err = %v, want a failed docker load", err)
	}
	if w.stdout.Len() > 0 || w.stderr.String() != "fake failure\n" || len(w.calls(t)) != 1 {
		t.Errorf("stdout %q, stderr %q, calls %q", w.stdout.String(), w.stderr.String(), w.calls(t))
	}
}

// A layer that turns out to be damaged must not look like the end of the archive.
func TestDamagedLayer(t *testing.T) {
	w := newWorld(t, "a:b")
	path, err := w.Resolve("ws/layer.tar")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, 5), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), w.Params); !errors.Is(err, dockersave.ErrDamaged) {
		t.Errorf("err = %v, want ErrDamaged", err)
	}
	if len(sent(t, w)) > 0 || w.stdout.Len() > 0 {
		t.Errorf("calls %q, stdout %q", w.calls(t), w.stdout.String())
	}
}

func TestCancel(t *testing.T) {
	for _, variable := range []string{"FAKE_LOAD", "FAKE_RUN"} {
		t.Run(variable, func(t *testing.T) {
			w := newWorld(t, "a:b")
			w.Plan.Run = true
			w.fake[variable] = "hang"
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, to := io.Pipe()
			w.Stderr = to
			go func() {
				line := make([]byte, len("hanging\n"))
				io.ReadFull(r, line)
				cancel()
				io.Copy(io.Discard, r)
			}()
			if err := Run(ctx, w.Params); !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v, want context.Canceled", err)
			}
		})
	}
}
