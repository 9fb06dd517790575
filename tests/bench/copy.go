package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
)

// kernelCopies shows by which system calls the bytes of a layer leave.
func (b *bench) kernelCopies(ctx context.Context) (err error) {
	dir, remove, err := b.scratch("copy")
	if err != nil {
		return err
	}
	defer remove()
	all, err := images.Make(dir, images.Recipe{Images: 1, Own: 1, Size: 64 * mib})
	if err != nil {
		return err
	}
	registry, err := b.debian.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if closed := registry.Close(); err == nil {
			err = closed
		}
	}()
	home := dir + "/home"
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	task, err := b.pusher.Task(home, registry.Addr(), all)
	if err != nil {
		return err
	}
	trace := dir + "/trace"
	command := task.Commands[0]
	args := append([]string{"-f", "-qq", "-o", trace, "-e", "trace=sendfile,splice,copy_file_range,write,writev,sendto"}, command.Args...)
	cmd := exec.CommandContext(ctx, "strace", args...)
	cmd.Env = append(os.Environ(), command.Env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("strace: %w\n%s", err, output)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		return err
	}
	bytes := tracedBytes(string(text))
	kernel := bytes["sendfile"] + bytes["splice"]
	fmt.Fprintf(b.out, "\nOne layer of 64 MiB over plain HTTP: the kernel copies %.2f MiB by sendfile or splice, "+
		"the program writes %.3f MiB itself.\n", float64(kernel)/mib, float64(bytes["write"]+bytes["writev"]+bytes["sendto"])/mib)
	b.figures(figure{"share of the layer that is copied by the program", max(0, 1-float64(kernel)/(64*mib)), 0.01, ""})
	return nil
}

// tracedBytes sums what each system call of strace's output moved.
func tracedBytes(trace string) map[string]int64 {
	total := map[string]int64{}
	unfinished := map[string]string{} // call by process
	for _, line := range strings.Split(trace, "\n") {
		pid, rest, ok := strings.Cut(line, " ")
		if !ok {
			continue
		}
		rest = strings.TrimSpace(rest)
		call, _, _ := strings.Cut(rest, "(")
		switch {
		case strings.HasSuffix(rest, "<unfinished ...>"):
			unfinished[pid] = call
			continue
		case strings.HasPrefix(rest, "<... "):
			call = unfinished[pid]
		}
		equals := strings.LastIndex(rest, " = ")
		if equals < 0 {
			continue
		}
		first, _, _ := strings.Cut(rest[equals+3:], " ")
		if n, err := strconv.ParseInt(first, 10, 64); err == nil && n > 0 {
			total[call] += n
		}
	}
	return total
}
