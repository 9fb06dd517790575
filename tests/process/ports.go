package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The addresses that ports are taken of.
const (
	// Host is every server's: loopback, but nothing that clients take for local by itself.
	Host  = "127.0.0.2"
	lease = "127.0.0.4" // nobody's: who listens here has the port on all of 127.0.0.0/8
)

// Free returns HOST:PORT of a server that is not running: nothing listens there.
// Until this process ends the port is its own. The system gives it out to nobody (on
// Linux it would those from 32768 on), and no other process that asks this function
// gets it, so that it is still free when a program is told to listen there, even for
// a second time.
func Free() (string, error) {
	const first, count, tries = 20000, 12000, 100
	var err error
	for range tries {
		port := strconv.Itoa(first + rand.IntN(count))
		var held, listener net.Listener
		if held, err = net.Listen("tcp", net.JoinHostPort(lease, port)); err != nil {
			continue
		}
		addr := net.JoinHostPort(Host, port)
		if listener, err = net.Listen("tcp", addr); err == nil {
			go keep(held)
			return addr, listener.Close()
		}
		_ = held.Close()
	}
	return "", noPort(Host, err)
}

// Listen opens a free port of an address of the loopback.
func Listen(ip string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, noPort(ip, err)
	}
	return listener, nil
}

func noPort(ip string, err error) error {
	return fmt.Errorf("opening a port on %s (a loopback address on Linux; elsewhere add it to the loopback interface): %w", ip, err)
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
