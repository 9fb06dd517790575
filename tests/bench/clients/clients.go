// Package clients says how each client of the benchmark is told to push images.
package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
)

// Jobs is how many requests, or else programs, are under way at a time.
const Jobs = 8

// Ours is the name of this project's client.
const Ours = "pusher"

// Client pushes images.
type Client struct {
	Name string
	// Task says how to push all images to the registry at addr.
	// What it needs is written to dir, an empty directory of its own. Programs that
	// push one image run Jobs at a time.
	Task func(dir, addr string, all []*images.Image) (measure.Task, error)
}

// Pusher is this project's, started as bazel run starts it: a link to imagetool with
// a plan beside it. It pushes all images in one go.
func Pusher(imagetool string, jobs int) Client {
	return Client{Ours, func(dir, addr string, all []*images.Image) (measure.Task, error) {
		program := filepath.Join(dir, "push")
		plan := spec.PushPlan{Version: 1}
		for _, image := range all {
			plan.Images = append(plan.Images, planned(image, addr))
		}
		data, err := json.Marshal(plan)
		if err != nil {
			return measure.Task{}, err
		}
		if err := os.WriteFile(program+".push.json", data, 0o600); err != nil {
			return measure.Task{}, err
		}
		if err := os.Mkdir(program+".runfiles", 0o755); err != nil {
			return measure.Task{}, err
		}
		for _, image := range all {
			if err := os.Symlink(image.Layout, filepath.Join(program+".runfiles", image.Name)); err != nil {
				return measure.Task{}, err
			}
		}
		return measure.Task{
			Commands: []measure.Command{{Args: []string{program, "--jobs", strconv.Itoa(jobs)}, Env: home(dir)}},
		}, os.Symlink(imagetool, program)
	}}
}

func planned(image *images.Image, addr string) spec.Push {
	runfile := func(path string) string {
		return image.Name + "/blobs/sha256/" + filepath.Base(path)
	}
	push := spec.Push{
		Target: "//bench:" + image.Name, BuildFile: "bench/BUILD.bazel", Rule: "container_push",
		Format: "OCI", Registry: addr, Repository: image.Name, Tag: image.Tag, InsecureRepository: true,
		Manifest: runfile(image.Manifest), Config: runfile(image.Config),
	}
	for _, layer := range image.Layers {
		push.Layers = append(push.Layers, runfile(layer))
	}
	return push
}

// Crane is go-containerregistry's command.
func Crane(program string) Client {
	return each("crane", func(image *images.Image, addr string) []string {
		return []string{program, "push", "--insecure", image.Layout, ref(image, addr)}
	})
}

// Regctl is regclient's command.
func Regctl(program string) Client {
	return each("regctl", func(image *images.Image, addr string) []string {
		return []string{program, "image", "copy", "--host", "reg=" + addr + ",tls=disabled",
			"ocidir://" + image.Layout + ":latest", ref(image, addr)}
	})
}

// Skopeo is the containers project's command.
func Skopeo(program string) Client {
	return each("skopeo", func(image *images.Image, addr string) []string {
		return []string{program, "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false",
			"oci:" + image.Layout + ":latest", "docker://" + ref(image, addr)}
	})
}

// Library is go-containerregistry's library, through the command ggcr of this
// benchmark: function "Write" is what rules_docker calls, "MultiWrite" what it could.
func Library(program, function string) Client {
	return Client{"remote." + function, func(dir, addr string, all []*images.Image) (measure.Task, error) {
		args := []string{program, function, strconv.Itoa(Jobs)}
		for _, image := range all {
			args = append(args, image.Layout, ref(image, addr))
		}
		return measure.Task{Commands: []measure.Command{{Args: args, Env: home(dir)}}}, nil
	}}
}

func each(name string, args func(image *images.Image, addr string) []string) Client {
	return Client{name, func(dir, addr string, all []*images.Image) (measure.Task, error) {
		task := measure.Task{Parallel: Jobs}
		for _, image := range all {
			task.Commands = append(task.Commands, measure.Command{Args: args(image, addr), Env: home(dir)})
		}
		return task, nil
	}}
}

func ref(image *images.Image, addr string) string {
	return fmt.Sprintf("%s/%s:%s", addr, image.Name, image.Tag)
}

// home keeps clients from the user's settings, credentials and caches. skopeo would
// use the machine's cache if it did not take itself for another user's.
func home(dir string) []string {
	return []string{
		"HOME=" + dir, "DOCKER_CONFIG=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_RUNTIME_DIR=" + dir,
		"TMPDIR=" + dir, "_CONTAINERS_ROOTLESS_UID=65534",
	}
}
