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
	if slices.Contains(args, "inspect") { // not written down: it changes nothing
		if strings.Contains(os.Getenv("FAKE_HAS"), args[len(args)-1]) {
			return 0
		}
		fmt.Fprintln(os.Stderr, "no such image")
		return 1
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
	for {
		h, err := r.Next()
		if err == io.EOF {
			fmt.Println("noise of the tool")
			fmt.Fprintln(f, "loaded")
			return 0
		}
		if err != nil {
			fmt.Fprintln(f, "broken archive")
			return 98
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
}

// newWorld has docker and podman on PATH and one image for each of the tags.
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
	blob := make([]byte, 10240)
	digest := write("layer.tar", blob)
	meta, err := json.Marshal(spec.LayerMetadata{
		Version: spec.Version, MediaType: "application/vnd.docker.image.rootfs.diff.tar",
		Digest: digest.String(), Size: 10240, DiffID: digest.String(), UncompressedSize: 10240,
	})
	if err != nil {
		t.Fatal(err)
	}
	write("metadata.json", meta)
	plan := spec.LoadPlan{Version: spec.Version, Tarball: spec.Tarball{Version: spec.Version, Target: "//p:x", Format: "legacy"}}
	for n, tag := range tags {
		name := fmt.Sprintf("config%d.json", n)
		id := write(name, fmt.Appendf(nil, `{"author":%q,"rootfs":{"type":"layers","diff_ids":[%q]}}`, tag, digest))
		w.ids = append(w.ids, id.Hex)
		plan.Tarball.Images = append(plan.Tarball.Images, spec.TarballImage{
			Tag: tag, Config: "ws/" + name, Layers: []string{"ws/layer.tar"}, Metadata: []string{"ws/metadata.json"},
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
