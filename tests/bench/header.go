package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/tools"
)

// header says on what machine and with what programs the benchmark runs.
func (b *bench) header(ctx context.Context) {
	fmt.Fprintf(b.out, "Machine: %s, %d cores, %s, load %s; %s; medians of %d rounds.\n\n",
		field("/proc/cpuinfo", "model name"), runtime.NumCPU(), ram(), load(), runtime.Version(), b.rounds)
	var versions []string
	for _, peer := range tools.Peers() {
		versions = append(versions, fmt.Sprintf("%s %s", peer.Name, peer.Version))
	}
	for _, command := range [][]string{{"docker-registry", "--version"}, {"skopeo", "--version"}, {"pigz", "--version"}, {"openssl", "version"}} {
		output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err == nil {
			first, _, _ := strings.Cut(string(output), "\n")
			versions = append(versions, first)
		}
	}
	fmt.Fprintf(b.out, "Versions: %s.\n", strings.Join(versions, "; "))
}

// field is the value of the first line "name: value" of a file.
func field(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for _, line := range strings.Split(string(data), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func ram() string {
	var kib int64
	if _, err := fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%d kB", &kib); err != nil {
		return "memory unknown"
	}
	return fmt.Sprintf("%d GiB", (kib+1<<19)>>20)
}

func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}
