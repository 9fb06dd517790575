package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// Bazel runs Bazel in one workspace, with an output root of its own.
type Bazel struct {
	Launcher  string   // path of the program
	UserRoot  string   // --output_user_root
	Workspace string   // directory with the WORKSPACE file
	Env       []string // the whole environment, KEY=VALUE
	Startup   []string // startup options, besides those that every test has
	Bzlmod    bool     // whether repositories have canonical names of their own
}

// start returns the Bazel that launcher starts, for the workspace in dir. Its server is
// shut down after the test. home is the HOME of what it runs, so that the settings of
// whoever runs the tests do not count.
func start(t *testing.T, launcher, dir, userRoot, home string, startup ...string) *Bazel {
	t.Helper()
	b := &Bazel{
		Launcher:  launcher,
		Startup:   startup,
		UserRoot:  userRoot,
		Workspace: dir,
		Env:       workspace.Environ(home),
	}
	t.Cleanup(func() {
		if r := b.Run(t, "shutdown"); r.Code != 0 {
			t.Errorf("bazel shutdown: %s", r)
		}
	})
	return b
}

// absolute finds the launcher that an environment variable names.
func absolute(t *testing.T, launcher, variable string) string {
	t.Helper()
	path, err := exec.LookPath(launcher)
	if err != nil {
		t.Fatalf("finding Bazel (the environment variable %s names another): %v", variable, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// With returns a copy of b with more environment variables, each KEY=VALUE.
func (b *Bazel) With(env ...string) *Bazel {
	c := *b
	c.Env = append(append([]string(nil), b.Env...), env...)
	return &c
}

// Result is the outcome of a command.
type Result struct {
	Args   []string
	Code   int // exit code
	Stdout string
	Stderr string // without the chatter of Bazel's sandbox
}

// String returns everything, for messages.
func (r Result) String() string {
	return fmt.Sprintf("%s\nexit code %d\n%s", strings.Join(r.Args, " "), r.Code, r.Output())
}

// Output returns what was printed.
func (r Result) Output() string { return r.Stdout + r.Stderr }

// quickly makes a server that lives for a minute: to optimize what it runs would take
// as much time as all the rest.
func quickly() []string {
	return []string{"--host_jvm_args=-XX:TieredStopAtLevel=1", "--host_jvm_args=-XX:+UseSerialGC"}
}

// Run runs a command of Bazel, e.g. Run(t, "build", "//cmd:image").
func (b *Bazel) Run(t *testing.T, command string, args ...string) Result {
	t.Helper()
	line := append([]string{"--output_user_root=" + b.UserRoot, "--max_idle_secs=120"}, quickly()...)
	line = append(line, b.Startup...)
	line = append(line, command)
	if command != "shutdown" {
		line = append(line, "--color=no", "--curses=no", "--noshow_progress")
	}
	line = append(line, args...)
	cmd := exec.Command(b.Launcher, line...)
	cmd.Dir, cmd.Env = b.Workspace, b.Env
	return run(t, cmd)
}

// MustOnHost is Must for "bazel run" where what is run needs programs of the machine,
// which Debian's Bazel 7 does not see: Bazel only builds it and writes how to start it.
func (b *Bazel) MustOnHost(t *testing.T, args ...string) Result {
	t.Helper()
	script := filepath.Join(TempDir(t), "run")
	b.Must(t, "run", append([]string{"--script_path=" + script}, args...)...)
	r := Run(t, b.Workspace, b.Env, script)
	if r.Code != 0 {
		t.Fatal(r)
	}
	return r
}

// Must is Run for a command that has to succeed.
func (b *Bazel) Must(t *testing.T, command string, args ...string) Result {
	t.Helper()
	r := b.Run(t, command, args...)
	if r.Code != 0 {
		t.Fatal(r)
	}
	return r
}

// External returns the directory of an external repository, which has to be there, by
// the name that the main repository knows it by.
func (b *Bazel) External(t *testing.T, repository string) string {
	t.Helper()
	base := strings.TrimSpace(b.Must(t, "info", "output_base").Stdout)
	if b.Bzlmod {
		var names map[string]string
		r := b.Must(t, "mod", "dump_repo_mapping", "")
		if err := json.Unmarshal([]byte(r.Stdout), &names); err != nil {
			t.Fatalf("reading the names of repositories: %v: %s", err, r)
		}
		canonical, ok := names[repository]
		if !ok {
			t.Fatalf("no repository %s in %s", repository, r)
		}
		repository = canonical
	}
	return filepath.Join(base, "external", repository)
}

// Bin returns the path of an output below bazel-bin.
func (b *Bazel) Bin(name string) string {
	return filepath.Join(b.Workspace, "bazel-bin", name)
}

// chatter is what Debian's linux-sandbox says about every action.
var chatter = regexp.MustCompile(`(?m)^.*linux-sandbox.*\n`)

// Run runs a program in a directory, with env as its whole environment.
func Run(t *testing.T, dir string, env []string, program string, args ...string) Result {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, env
	return run(t, cmd)
}

// run runs a command to its end. Each of started is called once it has started.
func run(t *testing.T, cmd *exec.Cmd, started ...func(*os.Process)) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	for _, f := range started {
		f(cmd.Process)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running %s: %v", cmd.Path, err)
	}
	return Result{
		Args:   cmd.Args,
		Code:   cmd.ProcessState.ExitCode(),
		Stdout: stdout.String(),
		Stderr: chatter.ReplaceAllString(stderr.String(), ""),
	}
}
