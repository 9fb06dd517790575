// Package registries starts the container registries that tests and the demo push
// to, on plain HTTP or with a certificate that nobody signed. They listen on
// 127.0.0.2, which is loopback, but which no client takes for insecure by itself:
// what is tested is what a user with a registry on another machine sees.
package registries

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The addresses that this package's servers listen on.
const (
	host      = "127.0.0.2" // every registry's
	elsewhere = "127.0.0.3" // a token server's that is another host
)

// listen opens a free port.
func listen(ip string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, fmt.Errorf("opening a port on %s (a loopback address on Linux; elsewhere add it to the loopback interface): %w", ip, err)
	}
	return listener, nil
}

// Stopped returns HOST:PORT of a registry that is not running: nothing listens there.
// The port is none that the system gives out by itself (on Linux those from 32768
// on), so that it is still free when a process is told to listen there.
func Stopped() (string, error) {
	const first, count, tries = 20000, 12000, 100
	var err error
	for range tries {
		addr := net.JoinHostPort(host, strconv.Itoa(first+rand.IntN(count)))
		var listener net.Listener
		if listener, err = net.Listen("tcp", addr); err == nil {
			return addr, listener.Close()
		}
	}
	return "", fmt.Errorf("finding a free port on %s (a loopback address on Linux; elsewhere add it to the loopback interface): %w", host, err)
}

// Server is a registry inside this process.
type Server struct {
	listener net.Listener
	server   *http.Server
	log      *requestLog
}

// serve starts a server for handler and records what it is asked. It speaks HTTPS
// by config or, if that is nil, plain HTTP.
func serve(ip string, handler http.Handler, config *tls.Config) (*Server, error) {
	listener, err := listen(ip)
	if err != nil {
		return nil, err
	}
	requests := &requestLog{}
	s := &Server{
		listener: listener,
		log:      requests,
		server: &http.Server{
			ReadHeaderTimeout: time.Minute,
			TLSConfig:         config,
			// No HTTP/2: the registry of go-containerregistry reads one body at a time, while
			// the others fill the window that all have in common, and so none goes on.
			TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
			ErrorLog:     log.New(io.Discard, "", 0), // clients that hang up are part of the tests
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.add(r.Method + " " + r.URL.Path)
				handler.ServeHTTP(w, r)
			}),
		},
	}
	start := s.server.Serve
	if config != nil {
		start = func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
	}
	go start(listener) //nolint:errcheck // it ends by Close, and says just that
	return s, nil
}

// Addr returns HOST:PORT.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Requests returns "METHOD PATH" of every request so far, in order of arrival.
func (s *Server) Requests() []string { return s.log.all() }

// Close stops the server and drops its connections.
func (s *Server) Close() error { return s.server.Close() }

// requestLog collects lines from several goroutines.
type requestLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *requestLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *requestLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// Count returns how many of requests begin with method, which may be followed by a
// space and the beginning of a path.
func Count(requests []string, method string) int {
	n := 0
	for _, r := range requests {
		if strings.HasPrefix(r, method) {
			n++
		}
	}
	return n
}
