package registries

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Wire is a TCP proxy before a registry: a network that can be cut.
type Wire struct {
	listener net.Listener
	backend  string
	log      *requestLog

	mu     sync.Mutex
	sent   int64
	breaks []pause // in the order of their offsets
	on     []pause
	conns  map[net.Conn]bool
	closed bool
}

// pause is something to do before bytes go on.
type pause struct {
	at     int64  // of all bytes sent, or
	prefix []byte // of a request
	do     func() error
}

// NewWire starts a proxy to the registry at backend, HOST:PORT.
func NewWire(backend string) (*Wire, error) {
	addr, err := Stopped() // a port that is still free after Down
	if err != nil {
		return nil, err
	}
	listener, err := reopen(addr)
	if err != nil {
		return nil, err
	}
	w := &Wire{listener: listener, backend: backend, log: &requestLog{}, conns: map[net.Conn]bool{}}
	go w.accept(listener)
	return w, nil
}

// Addr returns HOST:PORT of the proxy.
func (w *Wire) Addr() string { return w.listener.Addr().String() }

// Sent returns how many bytes of clients were passed on so far.
func (w *Wire) Sent() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// Requests returns "METHOD PATH?QUERY" of every request that has begun to pass,
// provided that it is plain HTTP.
func (w *Wire) Requests() []string { return w.log.all() }

// At calls do, once, before the byte at offset n of all that clients send is passed
// on. If do returns an error, the connection is cut instead: the registry gets what
// came before, the client a reset. Offsets have to ascend from call to call.
func (w *Wire) At(n int64, do func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaks = append(w.breaks, pause{at: n, do: do})
}

// Before is At for the first request that begins with prefix ("PUT /v2/app/"). The
// connection has to be plain HTTP.
func (w *Wire) Before(prefix string, do func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on = append(w.on, pause{prefix: []byte(prefix), do: do})
}

// ErrCut is an error for the functions of At and Before.
var ErrCut = errors.New("the network is cut")

// Down refuses connections for d and cuts those there are.
func (w *Wire) Down(d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr := w.listener.Addr().String()
	if err := w.listener.Close(); err != nil {
		return err
	}
	for conn := range w.conns {
		reset(conn)
	}
	time.Sleep(d)
	listener, err := reopen(addr)
	if err != nil {
		return err
	}
	w.listener = listener
	go w.accept(listener)
	return nil
}

// Close stops the proxy and cuts its connections.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for conn := range w.conns {
		reset(conn)
	}
	return w.listener.Close()
}

func (w *Wire) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go w.serve(client)
	}
}

func (w *Wire) serve(client net.Conn) {
	defer w.forget(client)
	registry, err := net.Dial("tcp", w.backend)
	if err != nil || !w.keep(client) {
		reset(client)
		return
	}
	heard, say := io.Pipe()
	go w.listen(heard)
	defer say.Close()

	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(client, registry)
		_ = client.(*net.TCPConn).CloseWrite()
	}()
	if err := w.pass(client, registry, say); err != nil {
		reset(client)
	}
	// What the registry got it shall read to the end.
	_ = registry.(*net.TCPConn).CloseWrite()
	<-answered
	_ = registry.Close()
}

// pass copies what the client says, minding the pauses.
func (w *Wire) pass(client, registry net.Conn, heard io.Writer) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := client.Read(buf)
		for data := buf[:n]; len(data) > 0; {
			part, do := w.next(data)
			_, _ = heard.Write(part)
			_, _ = heard.Write(nil) // waits until the listener wants more, having noted what it has
			if _, err := registry.Write(part); err != nil {
				return err
			}
			data = data[len(part):]
			if do != nil {
				if err := do(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// next takes what may pass at once, and what to do then.
func (w *Wire) next(data []byte) ([]byte, func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range w.on {
		if bytes.HasPrefix(data, p.prefix) {
			w.on = append(w.on[:i:i], w.on[i+1:]...)
			return nil, p.do
		}
	}
	if len(w.breaks) > 0 && w.sent+int64(len(data)) > w.breaks[0].at {
		p := w.breaks[0]
		w.breaks = w.breaks[1:]
		data = data[:max(0, p.at-w.sent)]
		w.sent += int64(len(data))
		return data, p.do
	}
	w.sent += int64(len(data))
	return data, nil
}

// listen notes the requests in what a client says, to its end.
func (w *Wire) listen(heard io.Reader) {
	r := bufio.NewReader(heard)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			_, _ = io.Copy(io.Discard, heard) // TLS, or the end
			return
		}
		w.log.add(req.Method + " " + req.RequestURI)
		_, _ = io.Copy(io.Discard, req.Body)
	}
}

func (w *Wire) keep(client net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[client] = true
	return !w.closed
}

func (w *Wire) forget(client net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, client)
	_ = client.Close()
}

// reset ends a connection as a broken network does.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}
