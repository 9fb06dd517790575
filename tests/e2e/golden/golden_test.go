// Package golden compares what targets of this workspace come to with golden files
// that were written by hand from what is known of rules_docker: the file
// want/PACKAGE/OUTPUT.golden is what bazel-bin/PACKAGE/OUTPUT has to be, and
// want/failing/PACKAGE.golden what Bazel has to say of the package. tests/facts says
// which of rules_docker's behaviours each of them stands for.
//
// A tar is compared by its listing (see the function listing), JSON byte for byte but
// for the blanks between tokens, anything else as it is. In a golden file,
// {sha256:PATH} stands for the hexadecimal digest of an output or an input,
// {size:PATH} for its length in bytes, {content:PATH} for all of it on one line, and {v1:PATH PATH ...}
// for the id that a layer with the last blob, above those before it, has in a docker-save
// archive. {elsewhere} and {workspace} are what Bazel calls the repository of that name
// and the main one.
package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

const (
	extension = ".golden"
	failures  = "failing/"
	inputs    = "inputs/"
	plan      = ".executable.load.json" // beside an image, made when that is
	record    = 10240                   // what layers are padded to, in bytes
)

type suite struct {
	cell      harness.Cell
	workspace string
	bazel     *harness.Bazel
}

// The flags of later Bazels are left out: they change names of repositories, which are
// in some of the golden files, and nothing else.
func TestGolden(t *testing.T) {
	for _, c := range harness.Cells() {
		if c.Ahead {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			s := newSuite(t, c)
			outputs, failing := goldens(t)
			t.Run("Outputs", func(t *testing.T) { s.testOutputs(t, outputs) })
			t.Run("Failing", func(t *testing.T) { s.testFailing(t, failing) })
			if c.Bazel != "4.2.3" { // it resolves no toolchain before it has fetched rules_cc
				t.Run("Toolchain", s.testToolchain)
			}
		})
	}
}

func newSuite(t *testing.T, c harness.Cell) *suite {
	t.Helper()
	root := harness.TempDir(t)
	s := &suite{cell: c, workspace: filepath.Join(root, "workspace")}
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	if err := workspace.Copy(s.workspace, ".", release.Replacements()); err != nil {
		t.Fatal(err)
	}
	writeInputs(t, filepath.Join(s.workspace, "inputs"))
	home := filepath.Join(root, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	s.bazel = c.NewBazel(t, s.workspace, filepath.Join(root, "bazel"), home)
	return s
}

// A rule of others that resolves the docker toolchain gets the settings of the workspace.
func (s *suite) testToolchain(t *testing.T) {
	s.bazel.Must(t, "build", "//toolchain:settings.txt")
	const want = "docker: docker.sh, xz: \n"
	if got := string(harness.Read(t, s.bazel.Bin("toolchain/settings.txt"))); got != want {
		t.Errorf("the toolchain says %q, want %q", got, want)
	}
}

// goldens lists the outputs and the failing packages that there are golden files of.
func goldens(t *testing.T) (outputs, failing []string) {
	t.Helper()
	err := filepath.WalkDir("want", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel("want", file)
		if err != nil {
			return err
		}
		name, ok := strings.CutSuffix(filepath.ToSlash(rel), extension)
		switch {
		case !ok:
			return fmt.Errorf("%s: golden files end in %s", file, extension)
		case strings.HasPrefix(name, failures):
			failing = append(failing, name)
		default:
			outputs = append(outputs, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return outputs, failing
}

// testOutputs builds everything at once. Actions run without a sandbox, which would
// take most of the time and is not what is tested here.
func (s *suite) testOutputs(t *testing.T, outputs []string) {
	args := []string{
		"--spawn_strategy=local", "--define=KEY=key", "--define=VALUE=value",
		"--workspace_status_command=" + filepath.Join(s.workspace, "status.sh"),
	}
	s.bazel.Must(t, "build", append(args, labels(t, outputs)...)...)
	for _, output := range outputs {
		t.Run(output, func(t *testing.T) {
			want := s.want(t, output)
			got := harness.Read(t, s.bazel.Bin(output))
			shown, wanted := string(got), want
			switch filepath.Ext(output) {
			case ".tar":
				shown = listing(t, got)
				if strings.HasSuffix(output, "-layer.tar") && len(got)%record != 0 {
					t.Errorf("its %d bytes are no multiple of %d", len(got), record)
				}
			case ".json":
				wanted = compact(t, want)
			}
			if shown != wanted {
				t.Errorf("it is\n%s\nwant\n%s", shown, wanted)
			}
		})
	}
}

// testFailing loads and analyses all failing packages at once.
func (s *suite) testFailing(t *testing.T, failing []string) {
	r := s.bazel.Run(t, "build", "--nobuild", "--keep_going", "//failing/...")
	if r.Code != 1 {
		t.Errorf("exit code %d, want 1", r.Code)
	}
	for _, name := range failing {
		t.Run(name, func(t *testing.T) {
			if want := strings.TrimSuffix(s.want(t, name), "\n"); !strings.Contains(r.Stderr, want) {
				t.Errorf("no %q in\n%s", want, r)
			}
		})
	}
}

// labels lists what has to be built: the outputs, and those that their golden files
// name. Manifests and blobs are made along with the rest, but are no target's output.
func labels(t *testing.T, outputs []string) []string {
	t.Helper()
	found := map[string]bool{}
	add := func(output string) {
		if strings.HasPrefix(output, inputs) || strings.HasSuffix(output, "manifest.json") || strings.HasSuffix(output, ".gz") {
			return
		}
		dir, name := path.Split(strings.TrimSuffix(output, plan))
		found["//"+strings.TrimSuffix(dir, "/")+":"+name] = true
	}
	for _, output := range outputs {
		add(output)
		for _, m := range placeholder.FindAllStringSubmatch(string(golden(t, output)), -1) {
			for _, name := range strings.Fields(m[2]) {
				add(name)
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	return harness.Read(t, filepath.Join("want", filepath.FromSlash(name)+extension))
}

// compact takes the blanks out of JSON, and leaves everything else as it is.
func compact(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		t.Fatalf("the golden file: %v", err)
	}
	return out.String()
}

var placeholder = regexp.MustCompile(`\{(sha256|size|content|v1):([^}]+)\}`)

// want reads a golden file and fills in what nobody can write by hand.
func (s *suite) want(t *testing.T, name string) string {
	t.Helper()
	want := string(golden(t, name))
	names := []string{"{elsewhere}", "elsewhere", "{workspace}", "app"}
	if s.cell.Bzlmod {
		names = []string{"{elsewhere}", "elsewhere~", "{workspace}", "_main"}
	}
	want = strings.NewReplacer(names...).Replace(want)
	return placeholder.ReplaceAllStringFunc(want, func(match string) string {
		m := placeholder.FindStringSubmatch(match)
		paths := strings.Fields(m[2])
		switch m[1] {
		case "sha256":
			return hexSum(s.read(t, m[2]))
		case "size":
			return fmt.Sprint(len(s.read(t, m[2])))
		case "content":
			return text(s.read(t, m[2]))
		}
		return s.v1ID(t, paths)
	})
}

// v1ID is the id of the last of layers. The topmost of an image has the image's
// configuration after it.
func (s *suite) v1ID(t *testing.T, paths []string) string {
	t.Helper()
	id := ""
	for i, name := range paths {
		if strings.HasSuffix(name, ".json") {
			break
		}
		seed := hexSum(s.read(t, name)) + " " + id
		if i == len(paths)-2 && strings.HasSuffix(paths[i+1], ".json") {
			seed += " " + string(s.read(t, paths[i+1]))
		}
		id = hexSum([]byte(seed))
	}
	return id
}

// read reads an input or an output.
func (s *suite) read(t *testing.T, name string) []byte {
	t.Helper()
	if strings.HasPrefix(name, inputs) {
		return harness.Read(t, filepath.Join(s.workspace, name))
	}
	return harness.Read(t, s.bazel.Bin(name))
}
