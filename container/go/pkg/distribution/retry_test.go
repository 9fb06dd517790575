package distribution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Pauses grow exponentially up to Max. Jitter takes at most half of one away.
func TestDelay(t *testing.T) {
	defaults := Retry{}
	short := Retry{Base: time.Second, Max: 3 * time.Second, MaxAfter: time.Minute}
	failure := errors.New("failure")
	tests := []struct {
		name    string
		retry   Retry
		attempt int
		err     error
		least   time.Duration
		most    time.Duration // not reached
	}{
		{"first", defaults, 1, failure, 250 * time.Millisecond, 500 * time.Millisecond},
		{"second", defaults, 2, failure, 500 * time.Millisecond, time.Second},
		{"fifth", defaults, 5, failure, 4 * time.Second, 8 * time.Second},
		{"beyond Max", defaults, 8, failure, 15 * time.Second, 30 * time.Second},
		{"far beyond Max", defaults, math.MaxInt, failure, 15 * time.Second, 30 * time.Second},
		{"Max is no power of two", short, 3, failure, 1500 * time.Millisecond, 3 * time.Second},
		{"Max below Base", Retry{Base: time.Second, Max: time.Millisecond}, 1, failure, 500 * time.Microsecond, time.Millisecond},
		{"wish", short, 4, &delayed{failure, 5 * time.Second}, 5 * time.Second, 6 * time.Second},
		{"wrapped wish", short, 1, fmt.Errorf("x: %w", &delayed{failure, 5 * time.Second}), 5 * time.Second, 6 * time.Second},
		{"excessive wish", short, 1, &delayed{failure, time.Hour}, time.Minute, time.Minute + time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var last time.Duration
			for _, jitter := range []float64{0, 0.5, math.Nextafter(1, 0)} {
				r := test.retry
				r.Jitter = func() float64 { return jitter }
				got := r.withDefaults().delay(test.attempt, test.err)
				if got < test.least || got >= test.most || got < last || jitter == 0 && got != test.least {
					t.Errorf("jitter %v: %v, want from %v up to %v", jitter, got, test.least, test.most)
				}
				last = got
			}
			for range 100 { // of the jitter that is the default
				if got := test.retry.withDefaults().delay(test.attempt, test.err); got < test.least || got >= test.most {
					t.Fatalf("%v, want from %v up to %v", got, test.least, test.most)
				}
			}
		})
	}
}

type temporary bool

func (temporary) Error() string     { return "temporary" }
func (t temporary) Temporary() bool { return bool(t) }

func TestAgain(t *testing.T) {
	answer := func(status int) error { return &transport.Error{StatusCode: status} }
	around := func(err error) error { return &url.Error{Op: "Put", URL: "http://127.0.0.2", Err: err} }
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"400", answer(400), false},
		{"401", answer(401), false},
		{"404", answer(404), false},
		{"408", answer(408), true},
		{"429", answer(429), true},
		{"500", answer(500), true},
		{"501", answer(501), false},
		{"503", answer(503), true},
		{"temporary by its code, but not by its status", &transport.Error{StatusCode: 400,
			Errors: []transport.Diagnostic{{Code: transport.UnknownErrorCode}}}, false},
		{"503 and a wish", &delayed{answer(503), time.Minute}, true},
		{"503 and an excessive wish", &delayed{answer(503), time.Hour}, false},
		{"EOF", around(io.EOF), true},
		{"unexpected EOF", around(io.ErrUnexpectedEOF), true},
		{"reset", around(&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), true},
		{"broken pipe", around(&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}), true},
		{"closed", around(net.ErrClosed), true},
		{"timeout of the network", around(&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}), true},
		{"wrapped timeout of the network", around(fmt.Errorf("broken: %w", os.NewSyscallError("write", syscall.ETIMEDOUT))), true},
		{"temporary", around(temporary(true)), true},
		{"not temporary", around(temporary(false)), false},
		{"refused", around(os.NewSyscallError("connect", syscall.ECONNREFUSED)), false},
		{"protocol", ErrProtocol, false},
		{"digest", ErrDigest, false},
		{"canceled", around(context.Canceled), false},
		{"deadline", around(context.DeadlineExceeded), false},
		{"canceled while connected", fmt.Errorf("%w: %w", io.EOF, context.Canceled), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Retry{}.withDefaults()
			if got := r.again(1, test.err); got != test.want {
				t.Errorf("again = %t", got)
			}
			if got := r.again(5, test.err); got != test.want {
				t.Errorf("again before the last = %t", got)
			}
			if r.again(6, test.err) {
				t.Error("again after the last")
			}
		})
	}
	if (Retry{Attempts: 1}).withDefaults().again(1, io.EOF) {
		t.Error("again where one attempt was wanted")
	}
}

func TestIsPassing(t *testing.T) {
	busy := &transport.Error{StatusCode: 503}
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"503", busy, true},
		{"404", &transport.Error{StatusCode: 404}, false},
		{"broken", io.ErrUnexpectedEOF, true},
		{"cancelled before the next try", fmt.Errorf("%w, after: %w", context.Canceled, busy), false},
		{"no time for the next try", fmt.Errorf("%w, after: %w", context.DeadlineExceeded, busy), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := IsPassing(test.err); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestRetryAfterField(t *testing.T) {
	now := func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) }
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"", 0, false},
		{"0", 0, true},
		{"120", 2 * time.Minute, true},
		{"-1", 0, false},
		{"1.5", 0, false},
		{"9223372036854775807", (1 << 31) * time.Second, true},
		{"99999999999999999999999999", (1 << 31) * time.Second, true},
		{"-99999999999999999999999999", 0, false},
		{"Mon, 06 May 2024 07:10:09 GMT", 2 * time.Minute, true},
		{"Monday, 06-May-24 07:10:09 GMT", 2 * time.Minute, true},
		{"Mon May  6 07:10:09 2024", 2 * time.Minute, true},
		{"Mon, 06 May 2024 07:00:00 GMT", 0, true},
		{"Fri, 31 Dec 9999 23:59:59 GMT", math.MaxInt64, true},
		{"tomorrow", 0, false},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			if got, ok := retryAfter(test.text, now); got != test.want || ok != test.ok {
				t.Errorf("got %v, %t", got, ok)
			}
		})
	}
}

func TestSleep(t *testing.T) {
	if err := sleep(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, 1000*time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOffset(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"0-99", 100}, {"bytes=0-99", 100}, {"0-1", 2}, {"0-9223372036854775806", math.MaxInt64},
		// What says nothing, or nothing that can be believed, is nothing.
		{"", 0}, {"0-0", 0}, {"0--1", 0}, {"-1", 0}, {"-", 0}, {"99", 0}, {"0-x", 0}, {"0-99 ", 0},
		{"0-9223372036854775807", 0}, {"0-99999999999999999999", 0}, {"5-99", 0}, {"x-99", 0}, {"-99", 0},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			if got := offset(test.text); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func answerTo(request, location string) *http.Response {
	u, err := url.Parse(request)
	if err != nil {
		panic(err)
	}
	return &http.Response{Header: http.Header{"Location": {location}}, Request: &http.Request{URL: u}}
}

func TestLocation(t *testing.T) {
	const at = "http://127.0.0.2:5000/v2/some/where/blobs/uploads/"
	tests := []struct {
		request, location, want string // "" for ErrProtocol
	}{
		{at, "/v2/some/where/blobs/uploads/id", at + "id"},
		{at, "id?a=b", at + "id?a=b"},
		{at, "../uploads/id", at + "id"},
		{at, "?a=b", at + "?a=b"},
		{at, at + "id?_state=a%2Fb%3D&x", at + "id?_state=a%2Fb%3D&x"},
		{at, "//127.0.0.3/id", "http://127.0.0.3/id"},
		{at, "http://127.0.0.3:80/id#part", "http://127.0.0.3:80/id"},
		{at, "https://127.0.0.3/id", "https://127.0.0.3/id"},
		{at, "/a b", "http://127.0.0.2:5000/a%20b"},
		{"https://127.0.0.2/v2/", "/id", "https://127.0.0.2/id"},
		{"https://127.0.0.2/v2/", "https://127.0.0.3/id", "https://127.0.0.3/id"},
		{"https://127.0.0.2/v2/", "http://127.0.0.2/id", ""},
		{"https://127.0.0.2/v2/", "HTTP://127.0.0.2/id", ""},
		{at, "", ""},
		{at, "http://me@127.0.0.2/id", ""},
		{at, "http://me:pass@127.0.0.2/id", ""},
		{at, "//@127.0.0.2/id", ""},
		{at, "ftp://127.0.0.2/id", ""},
		{at, "file:///etc/passwd", ""},
		{at, "mailto:me", ""},
		{at, "http:///id", ""},
		{at, "http:id", ""},
		{at, "http://:5000/id", ""},
		{at, "http://[::1", ""},
		{at, "%zz", ""},
		{at, "http://127.0.0.2/\x7f", ""},
	}
	for _, test := range tests {
		t.Run(test.location, func(t *testing.T) {
			got, err := location(answerTo(test.request, test.location))
			switch {
			case test.want == "":
				if !errors.Is(err, ErrProtocol) {
					t.Errorf("got %v, %v", got, err)
				}
			case err != nil || got.String() != test.want:
				t.Errorf("got %v, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestWithQuery(t *testing.T) {
	for before, want := range map[string]string{
		"http://h/p":         "http://h/p?digest=sha256%3Aab",
		"http://h/p?":        "http://h/p?digest=sha256%3Aab",
		"http://h/p?a=b%2F+": "http://h/p?a=b%2F+&digest=sha256%3Aab",
		"http://h/p?a&a;b":   "http://h/p?a&a;b&digest=sha256%3Aab",
	} {
		u, err := url.Parse(before)
		if err != nil {
			t.Fatal(err)
		}
		if got := withQuery(u, "digest", "sha256:ab").String(); got != want || u.String() != before {
			t.Errorf("%s became %s, want %s", before, got, want)
		}
	}
}

// What a client keeps of its content can be read from any offset.
func TestMemory(t *testing.T) {
	content := memory([]byte("content"))
	for offset, want := range []string{"content", "ontent", "ntent", "tent", "ent", "nt", "t", ""} {
		body, err := content.Open(int64(offset))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err != nil || !slices.Equal(got, []byte(want)) {
			t.Errorf("from %d: %q, %v", offset, got, err)
		}
	}
}
