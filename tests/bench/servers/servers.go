// Package servers starts the registries of the benchmark on 127.0.0.2, each empty.
package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// patience bounds how long a registry may take to come and to go.
const patience = 30 * time.Second

// Registry is a running registry.
type Registry interface {
	Addr() string // HOST:PORT
	Close() error
}

// Kind is a sort of registry.
type Kind struct {
	Name  string
	start func(dir string) (Registry, error)
}

// Start starts one with its files below dir, which must exist, and returns once it
// answers.
func (k Kind) Start(ctx context.Context, dir string) (Registry, error) {
	r, err := k.start(dir)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", k.Name, err)
	}
	if err := wait(ctx, r.Addr()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", k.Name, err), r.Close())
	}
	return r, nil
}

// Memory is go-containerregistry's registry, in this process. All repositories have
// every blob.
func Memory() Kind {
	return Kind{"go-containerregistry", func(string) (Registry, error) { return registries.Memory() }}
}

// Distribution is the CNCF's registry, of version 2 or 3, as program.
func Distribution(name, program string) Kind {
	return Kind{name, func(dir string) (Registry, error) {
		addr, err := registries.Stopped()
		if err != nil {
			return nil, err
		}
		config := filepath.Join(dir, "config.yml")
		text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"+
			"storage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", filepath.Join(dir, "data"), addr)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return start(addr, []string{"OTEL_TRACES_EXPORTER=none"}, program, "serve", config)
	}}
}

// Olareg is regclient's registry, as program.
func Olareg(program string) Kind {
	return Kind{"olareg", func(dir string) (Registry, error) {
		addr, err := registries.Stopped()
		if err != nil {
			return nil, err
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return start(addr, nil, program, "serve", "--addr", host, "--port", port, "--dir", dir)
	}}
}

// process is a registry in a process of its own.
type process struct {
	addr   string
	cmd    *exec.Cmd
	exited chan struct{}
}

func start(addr string, env []string, program string, args ...string) (Registry, error) {
	p := &process{addr: addr, cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended shows in its state
	}()
	return p, nil
}

func (p *process) Addr() string { return p.addr }

// Close ends the process, by its own id.
func (p *process) Close() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s ended by itself: %v", p.cmd.Path, p.cmd.ProcessState)
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(patience):
		return p.cmd.Process.Kill()
	}
}

// wait returns once the registry answers, whatever it answers.
func wait(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v2/", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", addr, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
