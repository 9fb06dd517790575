package registries

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"
)

// The addresses that this package's servers listen on.
const (
	host      = "127.0.0.2" // every registry's
	elsewhere = "127.0.0.3" // a token server's that is another host
	lease     = "127.0.0.4" // nobody's: who listens here has the port on all of these
)

// listen opens a free port.
func listen(ip string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, noPort(ip, err)
	}
	return listener, nil
}

func noPort(ip string, err error) error {
	return fmt.Errorf("opening a port on %s (a loopback address on Linux; elsewhere add it to the loopback interface): %w", ip, err)
}

// Stopped returns HOST:PORT of a registry that is not running: nothing listens there.
// Until this process ends the port is its own. The system gives it out to nobody (on
// Linux it would those from 32768 on), and no other process that asks this function
// gets it, so that it is still free when a program is told to listen there, even for
// a second time.
func Stopped() (string, error) {
	const first, count, tries = 20000, 12000, 100
	var err error
	for range tries {
		port := strconv.Itoa(first + rand.IntN(count))
		var held, listener net.Listener
		if held, err = net.Listen("tcp", net.JoinHostPort(lease, port)); err != nil {
			continue
		}
		addr := net.JoinHostPort(host, port)
		if listener, err = net.Listen("tcp", addr); err == nil {
			go keep(held)
			return addr, listener.Close()
		}
		_ = held.Close()
	}
	return "", noPort(host, err)
}

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

// keep holds a port for as long as this process lives.
func keep(held net.Listener) {
	for {
		conn, err := held.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}
