package loader

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// The test binary is the fake tool too: with FAKE_LOG set it writes down how it was
// called and does what FAKE_LOAD and FAKE_RUN say.
func TestMain(m *testing.M) {
	if log := os.Getenv("FAKE_LOG"); log != "" {
		os.Exit(fake(log, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func fake(log string, args []string) int {
	if code, asked := answer(args); asked { // not written down: it changes nothing
		return code
	}
	f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 99
	}
	defer f.Close()
	fmt.Fprintf(f, "%q\n", args)
	if slices.Contains(args, "tag") {
		return behave(os.Getenv("FAKE_TAG"))
	}
	if args[len(args)-1] != "load" {
		input, err := io.ReadAll(os.Stdin)
		if err != nil {
			return 99
		}
		fmt.Printf("container got %q\n", input)
		return behave(os.Getenv("FAKE_RUN"))
	}
	if code := behave(os.Getenv("FAKE_LOAD")); code != 0 {
		return code
	}
	r := tar.NewReader(os.Stdin)
	layers := 0
	for {
		h, err := r.Next()
		if err == io.EOF {
			if least, _ := strconv.Atoi(os.Getenv("FAKE_LEAST")); layers < least {
				fmt.Fprintln(os.Stderr, "no such file or directory")
				fmt.Fprintf(f, "refused %d layers\n", layers)
				return 1
			}
			fmt.Println("noise of the tool")
			fmt.Fprintf(f, "loaded %d layers\n", layers)
			return 0
		}
		if err != nil {
			fmt.Fprintln(f, "broken archive")
			return 98
		}
		if strings.HasSuffix(h.Name, "/layer.tar") {
			layers++
		}
		if h.Name == "manifest.json" {
			text, err := io.ReadAll(r)
			if err != nil {
				return 99
			}
			fmt.Fprintf(f, "%s\n", text)
		}
	}
}

// answer answers what only asks: about the images in FAKE_HAS, the status in
// FAKE_STATUS and, for an image each, the layers in FAKE_LAYERS.
func answer(args []string) (code int, asked bool) {
	last := args[len(args)-1]
	switch {
	case slices.Contains(args, "info"):
		if status := os.Getenv("FAKE_STATUS"); status != "" {
			fmt.Println(status)
			return 0, true
		}
		fmt.Fprintln(os.Stderr, "no field DriverStatus")
		return 125, true
	case slices.Contains(args, "ls"):
		for n := range strings.Fields(os.Getenv("FAKE_LAYERS")) {
			fmt.Printf("id%d\nid%d\n", n, n) // once per tag
		}
		return 0, true
	case strings.HasPrefix(last, "id"):
		layers := strings.Fields(os.Getenv("FAKE_LAYERS"))
		for _, arg := range args {
			if n, err := strconv.Atoi(strings.TrimPrefix(arg, "id")); err == nil && strings.HasPrefix(arg, "id") {
				fmt.Println(layers[n])
			}
		}
		return 1, true // as if another image had been removed meanwhile
	case slices.Contains(args, "inspect"):
		if strings.Contains(os.Getenv("FAKE_HAS"), last) {
			return 0, true
		}
		fmt.Fprintln(os.Stderr, "no such image")
		return 1, true
	}
	return 0, false
}

// behave ends with an exit code, or hangs until it is killed.
func behave(how string) int {
	if how == "hang" {
		fmt.Fprintln(os.Stderr, "hanging")
		time.Sleep(time.Hour) // unlike select {} it is no deadlock
	}
	code, _ := strconv.Atoi(how) // "" is 0
	if code != 0 {
		fmt.Fprintln(os.Stderr, "fake failure")
	}
	return code
}

// world is a plan, a fake tool and what they did.
type world struct {
	Params
	env            map[string]string // of our program
	fake           map[string]string // of the fake tool
	path           map[string]string // programs on PATH
	stdout, stderr bytes.Buffer
	log            string
	ids            []string
	diffIDs        []v1.Hash // of the images' layers
}

// newWorld has docker and podman on PATH and one image of two layers for each of the tags.
func newWorld(t *testing.T, tags ...string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		env: map[string]string{}, fake: map[string]string{}, log: filepath.Join(dir, "log"),
		path: map[string]string{"docker": "/bin/docker", "podman": "/bin/podman"},
	}
	write := func(name string, data []byte) v1.Hash {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		h, _, err := v1.SHA256(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	layer := func(name string, size int64) v1.Hash {
		digest := write(name+".tar", make([]byte, size))
		meta, err := json.Marshal(spec.LayerMetadata{
			Version: spec.Version, MediaType: "application/vnd.docker.image.rootfs.diff.tar",
			Digest: digest.String(), Size: size, DiffID: digest.String(), UncompressedSize: size,
		})
		if err != nil {
			t.Fatal(err)
		}
		write(name+".json", meta)
		return digest
	}
	w.diffIDs = []v1.Hash{layer("layer", 10240), layer("upper", 20480)}
	plan := spec.LoadPlan{Version: spec.Version, Tarball: spec.Tarball{Version: spec.Version, Target: "//p:x", Format: "legacy"}}
	for n, tag := range tags {
		name := fmt.Sprintf("config%d.json", n)
		id := write(name, fmt.Appendf(nil, `{"author":%q,"rootfs":{"type":"layers","diff_ids":[%q,%q]}}`, tag, w.diffIDs[0], w.diffIDs[1]))
		w.ids = append(w.ids, id.Hex)
		plan.Tarball.Images = append(plan.Tarball.Images, spec.TarballImage{
			Tag: tag, Config: "ws/" + name, Layers: []string{"ws/layer.tar", "ws/upper.tar"}, Metadata: []string{"ws/layer.json", "ws/upper.json"},
		})
	}
	w.Params = Params{
		Plan: plan, Stdin: strings.NewReader("from the user"), Stdout: &w.stdout, Stderr: &w.stderr,
		Getenv: func(key string) string { return w.env[key] },
		Resolve: func(path string) (string, error) {
			if rest, ok := strings.CutPrefix(path, "ws/"); ok {
				return filepath.Join(dir, rest), nil
			}
			return "", fmt.Errorf("no runfile %s", path)
		},
		LookPath: func(name string) (string, error) {
			if path, ok := w.path[name]; ok {
				return path, nil
			}
			return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
		},
		Command: func(ctx context.Context, name string, args ...string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0], append([]string{name}, args...)...)
			cmd.Env = append(os.Environ(), "FAKE_LOG="+w.log, "GORACE=atexit_sleep_ms=0")
			for key, value := range w.fake {
				cmd.Env = append(cmd.Env, key+"="+value)
			}
			return cmd
		},
	}
	return w
}

// calls are the lines of the fake tool's log.
func (w *world) calls(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(w.log)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}
