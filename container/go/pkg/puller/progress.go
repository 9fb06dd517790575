package puller

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// interval is how often a pull that takes its time says how far it got. One that is
// done before says nothing.
const interval = 10 * time.Second

// report prints how far a pull got, until the function that it returns is called.
func report(out io.Writer, name string, got, total *atomic.Int64) (stop func()) {
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				fmt.Fprintln(out, progress(name, got.Load(), total.Load()))
			}
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}

func progress(name string, got, total int64) string {
	const megabyte = 1e6
	return fmt.Sprintf("%s: %.1f of %.1f MB", name, float64(got)/megabyte, float64(total)/megabyte)
}
