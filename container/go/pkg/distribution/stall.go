package distribution

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Impatient is an http.RoundTripper that gives up on a server that is silent: one
// that does not begin to answer, or does not go on, for that long. An answer may
// take as long as it likes while something comes.
type Impatient struct {
	Transport http.RoundTripper
	Silence   time.Duration
}

// RoundTrip implements http.RoundTripper.
func (i Impatient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	w := &watch{silence: i.Silence, cancel: cancel}
	w.timer = time.AfterFunc(i.Silence, w.fire)
	resp, err := i.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		w.stop()
		if w.fired.Load() {
			// Not temporary: who waited that long for nothing does not wait again.
			return nil, &silent{after: i.Silence}
		}
		return nil, err
	}
	w.timer.Reset(i.Silence)
	resp.Request = req
	resp.Body = &watchedAnswer{resp.Body, w}
	return resp, nil
}

// watch cancels a request unless something comes in time.
type watch struct {
	silence time.Duration
	timer   *time.Timer
	cancel  context.CancelFunc
	fired   atomic.Bool
}

func (w *watch) fire() {
	w.fired.Store(true)
	w.cancel()
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel()
}

type watchedAnswer struct {
	io.ReadCloser
	watch *watch
}

func (a *watchedAnswer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if n > 0 {
		a.watch.timer.Reset(a.watch.silence)
	}
	if err != nil && err != io.EOF && a.watch.fired.Load() {
		err = &silent{after: a.watch.silence, begun: true}
	}
	return n, err
}

func (a *watchedAnswer) Close() error {
	defer a.watch.stop()
	return a.ReadCloser.Close()
}

// silent is a server that said nothing for too long. It implements net.Error.
type silent struct {
	after time.Duration
	begun bool // in the middle of an answer, which may be gone on with
}

func (s *silent) Error() string {
	return fmt.Sprintf("it sent nothing for %s", s.after)
}

func (s *silent) Timeout() bool   { return true }
func (s *silent) Temporary() bool { return s.begun }
