// Package facts checks that what is claimed about rules_docker's behaviour is tested:
// behaviour.md has a row for each thing that rules_docker does, repairs.md one for each
// of its mistakes, and each row names the golden files and the tests that would fail if
// it were otherwise here.
package facts

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	golden = root + "/tests/e2e/golden/want"
)

// row is a line of a table: its id, what rules_docker does, what shows how it is here,
// and a remark.
type row struct {
	file, id, fact, remark string
	proofs                 []string
}

// rows reads the tables of a file.
func rows(t *testing.T, file string) []row {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for n, line := range strings.Split(string(data), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| id |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("%s:%d: %d cells, want 4", file, n+1, len(cells))
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		r := row{file: file, id: cells[0], fact: cells[1], remark: cells[3]}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			r.proofs = append(r.proofs, m[1])
		}
		all = append(all, r)
	}
	return all
}

func everything(t *testing.T) []row {
	return append(rows(t, "behaviour.md"), rows(t, "repairs.md")...)
}

func TestRows(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9.-]+$`)
	seen := map[string]bool{}
	for _, r := range everything(t) {
		t.Run(r.file+"/"+r.id, func(t *testing.T) {
			if !id.MatchString(r.id) || seen[r.file+r.id] || r.fact == "" {
				t.Error("it needs an id of its own and a fact")
			}
			seen[r.file+r.id] = true
			if len(r.proofs) == 0 && r.remark == "" {
				t.Error("there is neither a proof nor a remark why there is none")
			}
			for _, proof := range r.proofs {
				if err := exists(proof); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// exists tells whether there is what a proof names: the golden file of an output, such
// as layers/order-layer.tar, or a test by its package and its name, such as
// image.TestPorts/80 or e2e/pull.TestPull/Load.
func exists(proof string) error {
	i := strings.Index(proof, ".Test")
	if i < 0 {
		_, err := os.Stat(filepath.Join(golden, filepath.FromSlash(proof)+".golden"))
		return err
	}
	folder := filepath.Join(root, "container/go/pkg", proof[:i])
	if strings.HasPrefix(proof, "e2e/") || strings.HasPrefix(proof, "release/") {
		folder = filepath.Join(root, strings.Replace(proof[:i], "e2e/", "tests/e2e/", 1))
	}
	source, err := testSource(folder)
	if err != nil {
		return err
	}
	name, sub, _ := strings.Cut(proof[i+1:], "/")
	if !strings.Contains(source, "\nfunc "+name+"(t *testing.T)") {
		return fmt.Errorf("%s has no test %s", folder, name)
	}
	if sub != "" && !strings.Contains(source, `"`+sub+`"`) {
		return fmt.Errorf("%s has no subtest %q", folder, sub)
	}
	return nil
}

// testSource is the source of all tests in a folder.
func testSource(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return "", err
	}
	var source strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		source.Write(data)
	}
	return source.String(), nil
}

// A golden file that stands for nothing is one too many.
func TestGoldenFilesAreNamed(t *testing.T) {
	named := map[string]bool{}
	for _, r := range everything(t) {
		for _, proof := range r.proofs {
			named[proof] = true
		}
	}
	err := filepath.WalkDir(golden, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(golden, path)
		if name := strings.TrimSuffix(filepath.ToSlash(rel), ".golden"); !named[name] {
			t.Errorf("no row names %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A remark that begins with "differs:" or "kept:" quotes the row of
// docs/compatibility.md that says so to users.
func TestDifferencesAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "docs/compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(data)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok {
			documented = append(documented, first)
		}
	}
	for _, r := range everything(t) {
		for _, kind := range []string{"differs: ", "kept: "} {
			if what, ok := strings.CutPrefix(r.remark, kind); ok && !slices.Contains(documented, what) {
				t.Errorf("%s: docs/compatibility.md has no row %q", r.id, what)
			}
		}
	}
}
