package harness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds how long docker may take to start or to end.
const patience = 2 * time.Minute

// Docker is a docker daemon of the test's own, with nothing in it.
type Docker struct {
	// Client is a docker client that asks this daemon, and notes its calls.
	Client string
	calls  string
	loaded string
}

// StartDocker starts the dockerd that is in the folder DOCKER_PROGRAMS names, and ends
// it after the test. It touches no network and no other docker of the machine, and
// needs root.
func StartDocker(t *testing.T) *Docker {
	t.Helper()
	programs := os.Getenv("DOCKER_PROGRAMS")
	if programs == "" {
		t.Fatal("the environment variable DOCKER_PROGRAMS must name the folder of dockerd; make e2e sets it to what tests/setup/docker.sh prints")
	}
	dir := TempDir(t)
	socket := filepath.Join(dir, "socket")
	d := &Docker{Client: filepath.Join(dir, "docker"), calls: filepath.Join(dir, "calls"), loaded: filepath.Join(dir, "loaded.tar")}
	script := fmt.Sprintf(`#!/bin/sh
echo "$@" >>%[1]s/calls
case "$*" in
*load) tee %[1]s/loaded.tar | %[2]s/docker --host=unix://%[1]s/socket "$@" ;;
*) exec %[2]s/docker --host=unix://%[1]s/socket "$@" ;;
esac
`, dir, programs)
	Write(t, dir, "docker", []byte(script), 0o755)
	var said bytes.Buffer
	daemon := exec.Command(filepath.Join(programs, "dockerd"), "--host=unix://"+socket, "--config-file=",
		"--data-root="+filepath.Join(dir, "data"), "--exec-root="+filepath.Join(dir, "exec"), "--pidfile="+filepath.Join(dir, "pid"),
		"--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	daemon.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "HOME="+dir)
	daemon.Stdout, daemon.Stderr = &said, &said
	daemon.WaitDelay = patience
	if err := daemon.Start(); err != nil {
		t.Fatalf("starting docker: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		hung := time.AfterFunc(patience, func() { _ = daemon.Process.Kill() })
		defer hung.Stop()
		if err := <-ended; err != nil {
			t.Errorf("docker ended: %v\n%s", err, &said)
		}
	})
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if exec.Command(d.Client, "version").Run() == nil {
			return d
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatal("docker did not start")
		default:
		}
		if time.Since(began) > patience {
			t.Fatal("docker does not answer")
		}
	}
}

// Calls returns what the client was called with since the last time.
func (d *Docker) Calls(t *testing.T) []string {
	t.Helper()
	text := string(Read(t, d.calls))
	Write(t, filepath.Dir(d.calls), filepath.Base(d.calls), nil, 0o644)
	return strings.Split(strings.TrimSpace(text), "\n")
}

// Loaded returns the archive that was loaded last.
func (d *Docker) Loaded(t *testing.T) []byte {
	t.Helper()
	return Read(t, d.loaded)
}
