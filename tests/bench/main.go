// Command bench measures this project against its peers, side by side, and says
// which figures of docs/design.md are met. It prints Markdown, and its progress to
// the standard error. It is run from the root of the checkout, on Linux, with
// docker-registry, skopeo, pigz, openssl and strace on PATH; the other peers it
// builds itself, once, in the user's cache.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	only := flag.String("only", "", "workloads to run, separated by commas; all without it")
	rounds := flag.Int("rounds", 5, "how often each client has its turn")
	verbose := flag.Bool("v", false, "print every request of this project's pusher to the standard error")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, options{only: *only, rounds: *rounds, verbose: *verbose, out: os.Stdout, progress: os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
