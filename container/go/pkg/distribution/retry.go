package distribution

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Retry says how failures that may pass are dealt with. The zero value is what a
// push over a flaky link wants.
type Retry struct {
	Attempts int           // tries of one thing in all; 0 means 6
	Base     time.Duration // pause after the first failure, doubled after each further one; 0 means 500 ms
	Max      time.Duration // longest pause that is not the registry's wish; 0 means 30 s
	MaxAfter time.Duration // longest Retry-After that is honoured; 0 means 5 min

	// Sleep waits or returns ctx's error; nil means the clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Jitter is a number in [0, 1); nil means a random one.
	Jitter func() float64
}

func (r Retry) withDefaults() Retry {
	if r.Attempts == 0 {
		r.Attempts = 6
	}
	if r.Base == 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max == 0 {
		r.Max = 30 * time.Second
	}
	if r.MaxAfter == 0 {
		r.MaxAfter = 5 * time.Minute
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	return r
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// again tells whether to try once more after the attempt-th try failed with err.
func (r Retry) again(attempt int, err error) bool {
	if attempt >= r.Attempts {
		return false
	}
	var wish *delayed
	if errors.As(err, &wish) && wish.after > r.MaxAfter {
		return false
	}
	return passing(err)
}

// delay is how long to wait before the next try. It is the registry's wish if it
// has one, and else grows exponentially, with jitter so that clients that failed
// together do not come back together.
func (r Retry) delay(attempt int, err error) time.Duration {
	var wish *delayed
	if errors.As(err, &wish) {
		return min(wish.after, r.MaxAfter) + time.Duration(r.Jitter()*float64(r.Base))
	}
	d := r.Base
	for i := 1; i < attempt && d < r.Max; i++ {
		d *= 2
	}
	d = min(d, r.Max)
	return d/2 + time.Duration(r.Jitter()*float64(d/2))
}

// passing tells which failures may be gone a moment later.
func passing(err error) bool {
	switch status(err) {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case 0:
		return broken(err)
	default:
		return false
	}
}

// refused tells whether the registry, or its token server, will not have a request,
// and will not have it later either.
func refused(err error) bool {
	code := status(err)
	return code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests
}

// broken tells whether err is a connection that ended before the answer did, or was
// refused by a registry that was there a moment ago.
func broken(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.ETIMEDOUT, net.ErrClosed,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var again *restarting
	if errors.As(err, &again) {
		return true
	}
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

func now() time.Time { return time.Now() }

// retryAfter reads a Retry-After field (RFC 9110, 10.2.3): seconds or a date.
func retryAfter(text string, now func() time.Time) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(text); seconds >= 0 && (err == nil || errors.Is(err, strconv.ErrRange)) {
		return time.Duration(min(seconds, 1<<31)) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now())), true
	}
	return 0, false
}
