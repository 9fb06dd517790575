// Package process starts the servers that tests talk to: programs in a process of their
// own, at a port that no other test takes.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// patience is after how long a program is given up that does not answer, or end. A
// machine with more to do than it can makes them slow.
const patience = 2 * time.Minute

// launches is how often a program is started that ends at once: somebody else may
// have taken its port.
const launches = 3

// Process is a program that runs.
type Process struct {
	name   string // of the program, for messages
	addr   string
	cmd    *exec.Cmd
	exited chan struct{}
	output *output
}

// Start starts a program that listens at addr, HOST:PORT, or, if that is "", at a free
// port of Host, and returns once it does. arguments makes its command line.
func Start(ctx context.Context, addr, program string, arguments func(addr string) ([]string, error)) (*Process, error) {
	if addr != "" {
		return startAt(ctx, addr, program, arguments)
	}
	for n := 1; ; n++ {
		free, err := Free()
		if err != nil {
			return nil, err
		}
		p, err := startAt(ctx, free, program, arguments)
		if !errors.Is(err, errEnded) || n == launches {
			return p, err
		}
	}
}

// errEnded means that the program did not go on running.
var errEnded = errors.New("it ended by itself")

func startAt(ctx context.Context, addr, program string, arguments func(addr string) ([]string, error)) (*Process, error) {
	args, err := arguments(addr)
	if err != nil {
		return nil, err
	}
	p := &Process{
		name:   filepath.Base(program),
		addr:   addr,
		cmd:    exec.Command(program, args...),
		exited: make(chan struct{}),
	}
	if p.output, err = newOutput(); err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = p.output.file, p.output.file
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
func (p *Process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s does not stay up: %w", p.name, errEnded)
		case <-ctx.Done():
			return fmt.Errorf("%s on %s does not answer: %w\n%s", p.name, p.addr, ctx.Err(), p.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Addr returns HOST:PORT.
func (p *Process) Addr() string { return p.addr }

// Output returns what the process has written so far, to either stream. What it wrote
// before it answered a request is in there once the answer is.
func (p *Process) Output() string { return p.output.String() }

// Close ends the process. A process that has ended before is an error: what was
// tested then was not this program.
func (p *Process) Close() error { return p.end(syscall.SIGTERM) }

// Kill ends the process as a crash would, without a moment to tidy up.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

func (p *Process) end(signal os.Signal) error {
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
	case <-time.After(patience):
		return p.cmd.Process.Kill()
	}
}

// output is what a process writes. It is a file and no pipe: what the process has
// written before it answers a request is there when the answer is.
type output struct{ file *os.File }

func newOutput() (*output, error) {
	f, err := os.CreateTemp("", "process-*.log")
	if err != nil {
		return nil, fmt.Errorf("making a file for a program's output: %w", err)
	}
	// It lasts for as long as somebody has it open.
	return &output{f}, os.Remove(f.Name())
}

// String returns everything so far.
func (o *output) String() string {
	const all = 1 << 62
	data, err := io.ReadAll(io.NewSectionReader(o.file, 0, all))
	if err != nil {
		return fmt.Sprintf("%s\n(reading on: %v)", data, err)
	}
	return string(data)
}
