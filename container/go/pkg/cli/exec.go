package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Exec runs main in this process and returns its exit code. An interrupt cancels
// main's context once; a second one ends the process.
func Exec(version string, main func(context.Context, Process) int) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	return main(ctx, Process{
		Args:    os.Args,
		Getenv:  os.Getenv,
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Version: version,
	})
}
