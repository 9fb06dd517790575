package registries

import (
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

// patience is after how long an address is given up that is still taken.
const patience = 2 * time.Minute

// The addresses that this package's servers listen on.
const (
	host      = process.Host // every registry's
	elsewhere = "127.0.0.3"  // a token server's that is another host
)

// Stopped returns HOST:PORT of a registry that is not running: nothing listens there,
// and until this process ends nobody else will.
func Stopped() (string, error) { return process.Free() }

// reopen listens at an address that Stopped gave, again and again if need be: a program
// that this process is about to start holds what was closed a moment ago, until it runs.
func reopen(addr string) (net.Listener, error) {
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		listener, err := net.Listen("tcp", addr)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) || time.Since(began) > patience {
			return listener, err
		}
	}
}
