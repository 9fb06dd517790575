package registries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// startTimeout bounds how long a registry may take until it answers, or has ended.
const startTimeout = 30 * time.Second

// process is a registry in a process of its own.
type process struct {
	name   string // of the program, for messages
	addr   string
	cmd    *exec.Cmd
	exited chan struct{}
	output *output
}

// start starts a program that will listen at addr, and returns once it does.
func start(ctx context.Context, addr, program string, args ...string) (*process, error) {
	p := &process{
		name:   filepath.Base(program),
		addr:   addr,
		cmd:    exec.Command(program, args...),
		exited: make(chan struct{}),
		output: &output{},
	}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	go func() {
		defer close(p.exited)
		p.cmd.Wait() //nolint:errcheck // how it ended shows in its output
	}()
	if err := p.wait(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// wait returns once somebody listens. That is enough: a connection that is made
// then is answered.
func (p *process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s does not stay up", p.name)
		case <-ctx.Done():
			return fmt.Errorf("%s on %s does not answer: %w\n%s", p.name, p.addr, ctx.Err(), p.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Addr returns HOST:PORT.
func (p *process) Addr() string { return p.addr }

// Close ends the process. A process that has ended before is an error: what was
// tested then was not this registry.
func (p *process) Close() error { return p.end(syscall.SIGTERM) }

// Kill ends the process as a crash would, without a moment to tidy up.
func (p *process) Kill() error { return p.end(syscall.SIGKILL) }

func (p *process) end(signal os.Signal) error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s on %s ended by itself (%v):\n%s", p.name, p.addr, p.cmd.ProcessState, p.output)
	default:
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.name, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(startTimeout):
		return p.cmd.Process.Kill()
	}
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
