package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Cell is one Bazel in one mode: what every workspace has to work in.
type Cell struct {
	Bazel  string // the version that tests/setup/bazel.sh provides, e.g. "4.2.3"
	Bzlmod bool   // whether MODULE.bazel counts, and WORKSPACE does not
	Ahead  bool   // whether what later versions make the rule is in force
}

// Cells returns the whole matrix. docs/bazel-versions.md shows it.
func Cells() []Cell {
	return []Cell{
		{Bazel: "4.2.3"},
		{Bazel: "7.7.1"},
		{Bazel: "7.7.1", Ahead: true},
		{Bazel: "7.7.1", Bzlmod: true},
		{Bazel: "7.7.1", Bzlmod: true, Ahead: true},
	}
}

// ahead are the flags that Bazel 8 or 9 sets, or may set, and 7.7.1 knows.
func (c Cell) ahead() []string {
	flags := []string{
		"--incompatible_auto_exec_groups",
		"--incompatible_autoload_externally=",
		"--incompatible_config_setting_private_default_visibility",
		"--incompatible_disable_starlark_host_transitions",
		"--incompatible_disallow_empty_glob",
		"--incompatible_disallow_struct_provider_syntax",
		"--noincompatible_enable_deprecated_label_apis",
		"--incompatible_stop_exporting_language_modules",
		"--incompatible_use_plus_in_repo_names",
	}
	if c.Bzlmod {
		// No WORKSPACE works with it: 7.7.1 itself declares @bazel_tools by such a rule.
		flags = append(flags, "--incompatible_disable_native_repo_rules")
	}
	return flags
}

// String names Bazel and mode, e.g. "bazel-7.7.1-Bzlmod-ahead".
func (c Cell) String() string {
	name := "bazel-" + c.Bazel + "-WORKSPACE"
	if c.Bzlmod {
		name = "bazel-" + c.Bazel + "-Bzlmod"
	}
	if c.Ahead {
		name += "-ahead"
	}
	return name
}

// EachCell runs a test in every cell, as a subtest that is named after the cell.
func EachCell(t *testing.T, test func(t *testing.T, c Cell)) {
	t.Helper()
	each(t, func(Cell) bool { return true }, test)
}

// EachEdge is EachCell for what takes long: the oldest Bazel and, of the newest, what is
// farthest apart, a WORKSPACE and Bzlmod with the rules of later versions.
func EachEdge(t *testing.T, test func(t *testing.T, c Cell)) {
	t.Helper()
	each(t, func(c Cell) bool { return c.Bzlmod == c.Ahead }, test)
}

// EachCross is EachEdge crosswise: of the newest Bazel a WORKSPACE with the rules of later
// versions, and Bzlmod without them.
func EachCross(t *testing.T, test func(t *testing.T, c Cell)) {
	t.Helper()
	each(t, func(c Cell) bool { return c.Bazel == "4.2.3" || c.Bzlmod != c.Ahead }, test)
}

// EachBzlmod is EachCell for the cells in which MODULE.bazel counts.
func EachBzlmod(t *testing.T, test func(t *testing.T, c Cell)) {
	t.Helper()
	each(t, func(c Cell) bool { return c.Bzlmod }, test)
}

func each(t *testing.T, in func(Cell) bool, test func(t *testing.T, c Cell)) {
	t.Helper()
	for _, c := range Cells() {
		if in(c) {
			t.Run(c.String(), func(t *testing.T) { test(t, c) })
		}
	}
}

// variable is the environment variable that names the launcher, e.g. BAZEL_4.
func (c Cell) variable() string {
	major, _, _ := strings.Cut(c.Bazel, ".")
	return "BAZEL_" + major
}

// settings are the flags of every command.
func (c Cell) settings() []string {
	if c.Bazel == "4.2.3" {
		return nil // it knows WORKSPACE only
	}
	flags := []string{"--noenable_bzlmod", "--enable_workspace"}
	if c.Bzlmod {
		flags = []string{"--enable_bzlmod", "--noenable_workspace"}
	}
	if c.Ahead {
		flags = append(flags, c.ahead()...)
	}
	return flags
}

// NewBazel returns the cell's Bazel for a workspace, with an output root and a HOME of its
// own. The environment variables BAZEL_4 and BAZEL_7 name the launchers.
func (c Cell) NewBazel(t *testing.T, workspace, userRoot, home string) *Bazel {
	t.Helper()
	launcher := os.Getenv(c.variable())
	if launcher == "" {
		t.Fatalf("the environment variable %s must name Bazel %s; make e2e sets it to what tests/setup/bazel.sh prints", c.variable(), c.Bazel)
	}
	var startup []string
	if flags := c.settings(); len(flags) > 0 {
		// A file, because not every command takes every flag.
		Write(t, home, c.String()+".bazelrc", []byte("common "+strings.Join(flags, "\ncommon ")+"\n"), 0o644)
		startup = []string{"--bazelrc=" + filepath.Join(home, c.String()+".bazelrc")}
	}
	b := start(t, absolute(t, launcher, c.variable()), workspace, userRoot, home, startup...)
	b.Bzlmod = c.Bzlmod
	return b
}
