package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Launcher runs tasks in a process of its own.
type Launcher struct {
	Program string // the command launch of this benchmark
}

// Run runs a task. Commands that fail are in the usage, and no error.
func (l Launcher) Run(ctx context.Context, task Task) (Usage, error) {
	if task.Timeout == 0 {
		task.Timeout = 5 * time.Minute
	}
	input, err := json.Marshal(task)
	if err != nil {
		return Usage{}, err
	}
	var output, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, l.Program)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &output, &complaints
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		return Usage{}, fmt.Errorf("launching %s: %w\n%s", task.Commands[0].Args[0], err, complaints.Bytes())
	}
	var usage Usage
	if err := json.Unmarshal(output.Bytes(), &usage); err != nil {
		return Usage{}, fmt.Errorf("reading what %s took: %w", task.Commands[0].Args[0], err)
	}
	return usage, nil
}
