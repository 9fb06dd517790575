package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Action is what Bazel would run.
type Action struct {
	Mnemonic  string
	Arguments []string
}

// Flag returns the value of a flag of the builder (named without dashes), or "".
func (a Action) Flag(name string) string {
	for _, arg := range a.Arguments {
		if value, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// Actions returns the actions that "bazel aquery" lists for an expression.
func (b *Bazel) Actions(t *testing.T, args ...string) []Action {
	t.Helper()
	r := b.Must(t, "aquery", append([]string{"--output=jsonproto"}, args...)...)
	var graph struct{ Actions []Action }
	if err := json.Unmarshal([]byte(r.Stdout), &graph); err != nil {
		t.Fatalf("reading the output of aquery: %v", err)
	}
	return graph.Actions
}

// ExecutedMnemonics builds targets and returns the mnemonics of the processes that
// Bazel started for it, in no particular order.
func (b *Bazel) ExecutedMnemonics(t *testing.T, targets ...string) []string {
	t.Helper()
	log := filepath.Join(TempDir(t), "execution.json")
	b.Must(t, "build", append([]string{"--execution_log_json_file=" + log}, targets...)...)
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var mnemonics []string
	for d := json.NewDecoder(f); ; {
		var spawn struct{ Mnemonic string }
		if err := d.Decode(&spawn); errors.Is(err, io.EOF) {
			return mnemonics
		} else if err != nil {
			t.Fatalf("reading the execution log: %v", err)
		}
		mnemonics = append(mnemonics, spawn.Mnemonic)
	}
}

// ExecutionRoot is the directory that the paths in an action start from.
func (b *Bazel) ExecutionRoot(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(b.Must(t, "info", "execution_root").Stdout)
}

// ActionRun is an action of the builder that was run without Bazel.
type ActionRun struct {
	Result
	Outputs string // directory with the outputs, each named as its flag
	Wall    time.Duration
	CPU     time.Duration
	PeakRSS int64 // bytes, as last seen; what it took on its last milliseconds may be missing
}

// RunAction runs an action of the builder in Bazel's execution root, as Bazel would
// without a sandbox, but with its outputs in a directory of their own. The flags in
// inputs (without dashes) name files that it reads; all others name outputs.
func (b *Bazel) RunAction(t *testing.T, action Action, inputs []string, env ...string) ActionRun {
	t.Helper()
	root := b.ExecutionRoot(t)
	out := TempDir(t)
	args := append([]string(nil), action.Arguments...)
	for i, arg := range args {
		flag, _, isFlag := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if isFlag && strings.HasPrefix(arg, "--") && !slices.Contains(inputs, flag) {
			args[i] = "--" + flag + "=" + filepath.Join(out, flag)
		}
	}
	cmd := exec.Command(filepath.Join(root, args[0]), args[1:]...)
	cmd.Dir, cmd.Env = root, append([]string{}, env...)
	peak := make(chan int64, 1)
	start := time.Now()
	r := run(t, cmd, func(p *os.Process) { go watchPeak(p.Pid, peak) })
	return ActionRun{
		Result:  r,
		Outputs: out,
		Wall:    time.Since(start),
		CPU:     cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		PeakRSS: <-peak,
	}
}

// peakLine finds the peak of the resident set in /proc/PID/status (proc_pid_status(5)).
var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s*([0-9]+) kB$`)

// watchPeak sends the peak resident set of a process, in bytes, once it has ended.
// The ru_maxrss of a child does not serve: Linux counts in it what this process had
// resident when it started the child.
func watchPeak(pid int, peak chan<- int64) {
	var kibibytes int64
	for ; ; time.Sleep(time.Millisecond) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		m := peakLine.FindSubmatch(status)
		if err != nil || m == nil { // gone, or a zombie
			peak <- kibibytes << 10
			return
		}
		if kibibytes, err = strconv.ParseInt(string(m[1]), 10, 64); err != nil {
			peak <- 0
			return
		}
	}
}
