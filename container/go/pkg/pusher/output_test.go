package pusher

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	fake "github.com/google/go-containerregistry/pkg/registry"
)

// summaryOf runs a target with --json and reads what it wrote.
func summaryOf(t *testing.T, tg *target, args ...string) (int, Summary) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "summary.json")
	code, out := tg.run(t, append([]string{"--json=" + path}, args...)...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var s Summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return code, s
}

func TestSummary(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	other := tg.plan.Images[0]
	other.Target, other.Registry = "//cmd:other", "127.0.0.2:1"

	code, s := summaryOf(t, tg)
	want := ImageSummary{Target: "//cmd:image-push", Reference: host + "/team/app:v1.0.0", Digest: tg.digest, Status: "pushed"}
	if code != 0 || len(s.Images) != 1 || s.Images[0] != want {
		t.Errorf("exit code %d, %+v, want %+v", code, s, want)
	}
	if s.Version != 1 || s.Uploaded != 2 || s.Requests == 0 || s.Retries != 0 || s.Bytes == 0 || s.Seconds <= 0 {
		t.Errorf("got %+v", s)
	}

	tg.plan.Images = append(tg.plan.Images, other)
	code, s = summaryOf(t, tg)
	if code != 1 || s.Images[0].Status != "unchanged" || s.Images[1].Status != "failed" || s.Images[1].Error == "" || s.Uploaded != 0 {
		t.Errorf("exit code %d, %+v", code, s)
	}
	tg.plan.Sequential = true
	tg.plan.Images[0], tg.plan.Images[1] = tg.plan.Images[1], tg.plan.Images[0]
	if _, s = summaryOf(t, tg); s.Images[1].Status != "not_run" {
		t.Errorf("got %+v", s)
	}

	tg.plan.Images = tg.plan.Images[1:]
	if _, s = summaryOf(t, tg, "--skip-unchanged-digest"); s.Images[0].Status != "skipped" {
		t.Errorf("got %+v", s)
	}
	if _, s = summaryOf(t, tg, "--skip-unchanged-digest", "--dst="+host+"/team/app:v2"); s.Images[0].Status != "tagged" {
		t.Errorf("got %+v", s)
	}
}

// The file of --json is opened before anything is pushed; what is no regular file stays
// what it is; nothing is left beside it.
func TestSummaryFile(t *testing.T) {
	var requests atomic.Int32
	registry := fake.New(fake.Logger(discard()))
	tg := newTarget(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		registry.ServeHTTP(w, r)
	}), false))
	tg.plan.Images[0].InsecureRepository = true
	dir := t.TempDir()
	for args, want := range map[string]string{
		"--json=" + filepath.Join(dir, "none", "s.json"): "--json a path that can be written",
		"--json=s.json --dry-run":                        "push nothing",
		"--json=s.json --explain":                        "push nothing",
	} {
		code, out := tg.run(t, strings.Fields(args)...)
		if code != 1 || !strings.Contains(out, want) || requests.Load() > 0 {
			t.Errorf("%s: exit code %d, %d requests:\n%s", args, code, requests.Load(), out)
		}
	}

	link := filepath.Join(dir, "link.json")
	if err := os.Symlink(filepath.Join(dir, "real.json"), link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real.json"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for _, path := range []string{link, fmt.Sprintf("/dev/fd/%d", to.Fd())} {
		if code, out := tg.run(t, "--json="+path); code != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(from); err != nil || !json.Valid(data) {
		t.Errorf("the pipe got %q, %v", data, err)
	}
	if data, err := os.ReadFile(link); err != nil || !json.Valid(data) {
		t.Errorf("got %q, %v", data, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left in the directory: %v, %v", entries, err)
	}
}

func TestDryRun(t *testing.T) {
	var changes atomic.Int32
	registry := fake.New(fake.Logger(discard()))
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			changes.Add(1)
		}
		registry.ServeHTTP(w, r)
	}), false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true

	code, out := tg.run(t, "--dry-run")
	if code != 0 || changes.Load() != 0 {
		t.Errorf("exit code %d, %d requests that change something:\n%s", code, changes.Load(), out)
	}
	contains(t, out, "Would push Docker image "+tg.digest+" to "+host+"/team/app:v1.0.0")
	contains(t, out, "in 2 blobs, 0 blobs are there")

	// Of two images that share their blobs, the second has nothing left to send.
	tg.plan.Images = append(tg.plan.Images, tg.plan.Images[0])
	tg.plan.Images[1].Repository = "team/other"
	_, out = tg.run(t, "--dry-run")
	contains(t, out, "0 bytes in 0 blobs, 2 blobs are there or sent for another image")

	if code, out = tg.run(t); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	done := changes.Load()
	code, out = tg.run(t, "--dry-run")
	if code != 0 || changes.Load() != done {
		t.Errorf("exit code %d, %d requests that change something:\n%s", code, changes.Load()-done, out)
	}
	contains(t, out, host+"/team/app:v1.0.0 is "+tg.digest+" already")

	tg.plan.Images[0].Registry = "127.0.0.2:1"
	if code, out = tg.run(t, "--dry-run"); code != 1 || !strings.Contains(out, "ERROR: //cmd:image-push") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestQuiet(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	if code, out := tg.run(t, "--quiet"); code != 0 || out != "" {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	tg.plan.Images[0].Registry = "127.0.0.2:1"
	if code, out := tg.run(t, "--quiet"); code != 1 || !strings.HasPrefix(out, "ERROR: ") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestJobs(t *testing.T) {
	for _, bad := range []string{"0", "-1", "many"} {
		t.Run(bad, func(t *testing.T) {
			if code, out := newTarget(t, "127.0.0.2:1").run(t, "--jobs="+bad); code != 1 || !strings.Contains(out, "jobs") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
	for _, jobs := range []int32{1, 3} {
		t.Run("bound", func(t *testing.T) {
			var now, most atomic.Int32
			registry := fake.New(fake.Logger(discard()))
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := now.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				registry.ServeHTTP(w, r)
				now.Add(-1)
			}), false)
			tg := newTarget(t, host)
			base := tg.plan.Images[0]
			tg.plan.Images = nil
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				base.InsecureRepository, base.Repository = true, "app/"+name
				tg.plan.Images = append(tg.plan.Images, base)
			}
			code, s := summaryOf(t, tg, "--jobs="+string('0'+rune(jobs)))
			if code != 0 || most.Load() > jobs || s.Uploaded != 2 {
				t.Errorf("exit code %d, %d requests at a time of %d, %+v", code, most.Load(), jobs, s)
			}
		})
	}
}
