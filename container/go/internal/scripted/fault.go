package scripted

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Fault answers one request in place of the registry, which it may ask.
type Fault func(r *Registry, w http.ResponseWriter, req *http.Request)

// Always is as many times as there are requests.
const Always = -1

type line struct {
	what  string
	times int
	fault Fault
}

// Script makes the next requests of a kind, as Request.String names it, fail so many
// times. Of several scripts for a request the first that is not used up counts.
func (r *Registry) Script(what string, times int, fault Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = append(r.script, &line{what, times, fault})
}

func (r *Registry) fault(q Request) Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.script {
		if l.what == q.String() && l.times != 0 {
			l.times--
			return l.fault
		}
	}
	return nil
}

// Proceed answers rightly: with Script, what is scripted next is for a later request.
func Proceed() Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) { r.ServeHTTP(w, req) }
}

// Reset breaks the connection after so many bytes of a PUT of a blob.
func Reset(after int64) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		_, _ = r.take(req, uploadID(req), after)
		reset(w)
	}
}

// Hang takes so many bytes of a PUT of a blob, tells that it did, and then neither
// reads nor answers until the client leaves.
func Hang(after int64, taken chan<- struct{}) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		_, _ = r.take(req, uploadID(req), after)
		conn := hijack(w)
		defer conn.Close()
		close(taken)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// HalfClose ends the registry's side of the connection after so many bytes of a PUT
// of a blob, and reads on without keeping anything.
func HalfClose(after int64) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		_, _ = r.take(req, uploadID(req), after)
		conn := hijack(w)
		defer conn.Close()
		_ = tcp(conn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	}
}

// LoseAnswer does what is asked and breaks the connection instead of answering.
func LoseAnswer() Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(httptest.NewRecorder(), req)
		reset(w)
	}
}

// Status reads the body and answers with a failure. Fields are "Name: value".
func Status(status int, fields ...string) Fault {
	return func(_ *Registry, w http.ResponseWriter, req *http.Request) {
		drain(req)
		set(w, fields)
		refuse(w, status, http.StatusText(status))
	}
}

// StatusAfter does what is asked and answers with a failure all the same.
func StatusAfter(status int) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(httptest.NewRecorder(), req)
		refuse(w, status, http.StatusText(status))
	}
}

// Refuse reads the body and answers with one of the specification's errors.
func Refuse(status int, code string) Fault {
	return func(_ *Registry, w http.ResponseWriter, req *http.Request) {
		drain(req)
		refuse(w, status, code)
	}
}

// Early answers with a failure before it reads the body.
func Early(status int) Fault {
	return func(_ *Registry, w http.ResponseWriter, _ *http.Request) {
		refuse(w, status, http.StatusText(status))
	}
}

// Answer reads the body and answers with a status and fields, and nothing else.
func Answer(status int, fields ...string) Fault {
	return func(_ *Registry, w http.ResponseWriter, req *http.Request) {
		drain(req)
		set(w, fields)
		w.WriteHeader(status)
	}
}

// Alter answers rightly but for some fields: those with an empty value are left out.
func Alter(fields ...string) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		right := httptest.NewRecorder()
		r.ServeHTTP(right, req)
		for key, values := range right.Header() {
			w.Header()[key] = values
		}
		set(w, fields)
		w.WriteHeader(right.Code)
		_, _ = w.Write(right.Body.Bytes())
	}
}

// Truncate answers rightly, but breaks off after half of the answer's body.
func Truncate() Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		right := httptest.NewRecorder()
		r.ServeHTTP(right, req)
		for key, values := range right.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Content-Length", fmt.Sprint(right.Body.Len()))
		w.WriteHeader(right.Code)
		_, _ = w.Write(right.Body.Bytes()[:right.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Endless answers with a body that ends only when the client leaves.
func Endless(status int) Fault {
	return func(_ *Registry, w http.ResponseWriter, req *http.Request) {
		drain(req)
		w.WriteHeader(status)
		for junk := make([]byte, 64<<10); ; {
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	}
}

// Hold does what is asked, tells so, and answers when released.
func Hold(done chan<- struct{}, release <-chan struct{}) Fault {
	return func(r *Registry, w http.ResponseWriter, req *http.Request) {
		right := httptest.NewRecorder()
		r.ServeHTTP(right, req)
		close(done)
		<-release
		for key, values := range right.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(right.Code)
	}
}

func set(w http.ResponseWriter, fields []string) {
	for _, field := range fields {
		key, value, _ := strings.Cut(field, ": ")
		if value == "" {
			w.Header().Del(strings.TrimSuffix(key, ":"))
		} else {
			w.Header().Set(key, value)
		}
	}
}

func uploadID(req *http.Request) string {
	return req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
}

// hijack takes the connection from net/http. What it has read ahead is dropped.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(fmt.Errorf("the script cannot break this connection: %w", err))
	}
	return conn
}

func tcp(conn net.Conn) *net.TCPConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return conn.(*net.TCPConn)
}

// reset makes the kernel answer with RST.
func reset(w http.ResponseWriter) {
	conn := tcp(hijack(w))
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
