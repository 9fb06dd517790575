// Package registries starts the container registries that tests and the demo push
// to, on plain HTTP or with a certificate that nobody signed. They listen on
// 127.0.0.2, which is loopback, but which no client takes for insecure by itself:
// what is tested is what a user with a registry on another machine sees.
package registries

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

// Server is a registry inside this process.
type Server struct {
	listener net.Listener
	server   *http.Server
	log      *requestLog
}

// serve starts a server for handler and records what it is asked. It speaks HTTPS
// by config or, if that is nil, plain HTTP.
func serve(ip string, handler http.Handler, config *tls.Config) (*Server, error) {
	listener, err := process.Listen(ip)
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
			ErrorLog:          log.New(io.Discard, "", 0), // clients that hang up are part of the tests
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
