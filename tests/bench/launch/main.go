// Command launch runs the programs of a measure.Task and reports what they took. It
// is small because Linux counts the size of the process that starts a program as
// part of that program's peak (getrusage(2), ru_maxrss): the benchmark itself, with
// its proxy and its registry, would be the largest of all.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
)

func main() {
	var task measure.Task
	if err := json.NewDecoder(os.Stdin).Decode(&task); err != nil {
		fmt.Fprintln(os.Stderr, "launch: reading the task:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(measure.Launch(task)); err != nil {
		fmt.Fprintln(os.Stderr, "launch: writing the result:", err)
		os.Exit(1)
	}
}
