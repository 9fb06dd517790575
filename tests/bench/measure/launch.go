// Package measure runs programs and says what they took: time, processor time and
// memory, of whole processes.
package measure

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Task is what the launcher is told to run.
type Task struct {
	Commands []Command `json:"commands"`
	Parallel int       `json:"parallel"` // how many of them at a time
	// Timeout ends each command that takes longer.
	Timeout time.Duration `json:"timeout"`
}

// Command is one process.
type Command struct {
	Args []string `json:"args"`          // the program's path first
	Env  []string `json:"env,omitempty"` // KEY=VALUE, on top of the launcher's own
}

// Usage is what a task took.
type Usage struct {
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"` // user and system, of all commands and their children
	// Peak is the largest resident set of a single process, in bytes.
	Peak   int64    `json:"peak"`
	Failed []string `json:"failed,omitempty"` // of each command that failed, how, and the end of what it said
}

// Launch runs a task. It is called in the launcher's process, which has to be small.
func Launch(task Task) Usage {
	var (
		usage Usage
		mu    sync.Mutex
		group sync.WaitGroup
	)
	places := make(chan struct{}, max(task.Parallel, 1))
	began := time.Now()
	for _, command := range task.Commands {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			one, failure := launch(command, task.Timeout)
			mu.Lock()
			defer mu.Unlock()
			usage.CPU += one.CPU
			usage.Peak = max(usage.Peak, one.Peak)
			if failure != "" {
				usage.Failed = append(usage.Failed, failure)
			}
		})
	}
	group.Wait()
	usage.Wall = time.Since(began)
	return usage
}

func launch(command Command, timeout time.Duration) (usage Usage, failure string) {
	var output bytes.Buffer
	cmd := exec.Command(command.Args[0], command.Args[1:]...)
	cmd.Env = append(os.Environ(), command.Env...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return usage, err.Error()
	}
	timer := time.AfterFunc(timeout, func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group: what a shell started goes too
	})
	err := cmd.Wait()
	timer.Stop()
	if err != nil {
		failure = fmt.Sprintf("%s: %v: %s", command.Args[0], err, tail(output.Bytes()))
	}
	usage.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if resources, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		usage.Peak = int64(resources.Maxrss) << 10 // Linux counts in KiB
	}
	return usage, failure
}

// tail is the end of what a program said, for messages.
func tail(output []byte) string {
	const enough = 600
	output = bytes.TrimSpace(output)
	if len(output) > enough {
		output = output[len(output)-enough:]
	}
	return string(output)
}
