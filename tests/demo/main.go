// Command demo shows what this project is for: a push to a registry on plain HTTP
// that fails with a message saying what to do, the one line that it takes, and the
// push that succeeds. It exits with 1 if anything goes otherwise.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL a
// Bazel other than the one on PATH. It is run from the root of the checkout.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
