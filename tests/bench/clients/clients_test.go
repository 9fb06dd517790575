package clients

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/launch"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
)

func make2(t *testing.T) []*images.Image {
	t.Helper()
	all, err := images.Make(t.TempDir(), images.Recipe{Images: 2, Shared: 1, Own: 1, Size: 100})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The plan has to be one that the pusher reads, files and all.
func TestPusher(t *testing.T) {
	task, err := Pusher("/bin/true", 3).Task(t.TempDir(), "127.0.0.2:5000", make2(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(task.Commands) != 1 || strings.Join(task.Commands[0].Args[1:], " ") != "--jobs 3" {
		t.Errorf("commands %+v", task.Commands)
	}
	found, ok := launch.Find(task.Commands[0].Args[0])
	if !ok {
		t.Fatal("no plan")
	}
	plan, err := spec.Read[spec.PushPlan](found.Path)
	if err != nil || len(plan.Images) != 2 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	for _, image := range plan.Images {
		if _, err := push.FromPlan(image, launch.Runfiles(found.Program, func(string) string { return "" })); err != nil {
			t.Error(err)
		}
	}
}

func TestPeers(t *testing.T) {
	all := images.Tagged(make2(t), "another")
	for _, c := range []struct {
		client   Client
		commands int
		parallel int
	}{
		{Crane("crane"), 2, Jobs},
		{Regctl("regctl"), 2, Jobs},
		{Skopeo("skopeo"), 2, Jobs},
		{Library("ggcr", "MultiWrite"), 1, 0},
	} {
		t.Run(c.client.Name, func(t *testing.T) {
			dir := t.TempDir()
			task, err := c.client.Task(dir, "127.0.0.2:5000", all)
			if err != nil || len(task.Commands) != c.commands || task.Parallel != c.parallel {
				t.Fatalf("task %+v, %v", task, err)
			}
			line := ""
			for _, command := range task.Commands {
				line += strings.Join(command.Args, " ") + "\n"
				if !strings.Contains(strings.Join(command.Env, " "), "HOME="+dir) {
					t.Errorf("%s is not kept from the user's settings", filepath.Base(command.Args[0]))
				}
			}
			for _, image := range all {
				if !strings.Contains(line, image.Layout) || !strings.Contains(line, "127.0.0.2:5000/"+image.Name+":another") {
					t.Errorf("%s is not pushed: %s", image.Name, line)
				}
			}
		})
	}
}
