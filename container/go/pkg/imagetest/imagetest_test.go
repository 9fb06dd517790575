package imagetest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.json": `{"config":{"User":"7"}}`, "b.json": `{}`,
		"pass.yaml": "schemaVersion: 2.0.0\nmetadataTest: {user: '7'}", "fail.yaml": "schemaVersion: 2.0.0\nmetadataTest: {user: root}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const idOfB = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	ids := func(id string, configs ...string) spec.TestPlan {
		p := spec.TestPlan{Target: "//a:t", SameID: &spec.SameIDTest{ID: id}}
		for _, c := range configs {
			p.SameID.Images = append(p.SameID.Images, spec.IDSource{Name: c, Config: c})
		}
		return p
	}
	structure := func(config string) spec.TestPlan {
		return spec.TestPlan{Target: "//a:t", Structure: &spec.StructureTest{
			Configs: []string{config}, Image: spec.TarballImage{Config: "a.json"},
		}}
	}
	for _, c := range []struct {
		name   string
		plan   spec.TestPlan
		failed bool
		want   string // of the error, "" for none
	}{
		{"the same", ids("", "a.json", "a.json"), false, ""},
		{"an id", ids("sha256:"+idOfB, "b.json"), false, ""},
		{"not the same", ids("", "a.json", "b.json"), true, "not all image ids"},
		{"another id", ids(idOfB, "a.json"), true, idOfB},
		{"no id", ids("x", "a.json"), false, "not a sha256"},
		{"nothing to compare", ids("", "a.json"), false, "nothing to compare"},
		{"no image", ids(""), false, "nothing to compare"},
		{"no file", ids("", "a.json", "gone"), false, "gone"},
		{"structure", structure("pass.yaml"), false, ""},
		{"structure fails", structure("fail.yaml"), true, "1 of 1"},
		{"no document", structure("a.json"), false, "a.json"},
		{"no test", spec.TestPlan{Target: "//a:t"}, false, "no test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := Run(t.Context(), Params{
				Plan: c.plan, Stdout: &out, TempDir: t.TempDir(),
				Resolve: func(p string) (string, error) { return filepath.Join(dir, p), nil },
			})
			if (err == nil) != (c.want == "") || errors.Is(err, ErrFailed) != c.failed {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if err != nil && (!strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "//a:t: ")) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
