package distribution

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

// spy is a connection that notes what it is given to send.
type spy struct {
	*net.TCPConn
	seen *seen
}

type seen struct {
	written, copied atomic.Int64
	mu              sync.Mutex
	readers         []io.Reader // innermost, as ReadFrom got them
}

func (s *seen) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &spy{conn.(*net.TCPConn), s}, nil
}

func (c *spy) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.seen.written.Add(int64(n))
	return n, err
}

func (c *spy) ReadFrom(r io.Reader) (int64, error) {
	inner := r
	for limited, ok := inner.(*io.LimitedReader); ok; limited, ok = inner.(*io.LimitedReader) {
		inner = limited.R
	}
	c.seen.mu.Lock()
	c.seen.readers = append(c.seen.readers, inner)
	c.seen.mu.Unlock()
	n, err := c.TCPConn.ReadFrom(r)
	c.seen.copied.Add(n)
	return n, err
}

// A file goes to the kernel as it is, a megabyte at a time, and every byte counts,
// those of an attempt that failed included.
func TestMeter(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		var meter Meter
		seen := &seen{}
		rt := connect(t, meter.Wrap(seen.dial))
		w := worldOf(t, scripted.New(t, scripted.Traits{Keeps: true}), rt)
		if breaks {
			w.registry.Script("PUT upload", 1, scripted.Reset(big))
		}
		const size = 3*meterStep + 12345
		b := fileOf(t, random(size))
		w.ensure(b, Origin{}, true)
		w.has(repo, b)
		if got, want := meter.Sent(), seen.written.Load()+seen.copied.Load(); got != want || got < size {
			t.Errorf("Sent = %d, the connections sent %d", got, want)
		}
		if got := seen.written.Load(); got > 64<<10 {
			t.Errorf("%d bytes went through memory", got)
		}
		if got := len(seen.readers); !breaks && got != 4 {
			t.Errorf("the file was handed over in %d steps", got)
		}
		for _, reader := range seen.readers {
			if _, ok := reader.(*os.File); !ok {
				t.Errorf("the connection was given a %T", reader)
			}
		}
	}
}

// What is written through a metered connection is what is read from the source, up to
// its limit or its end, and errors are not lost.
func TestMeterReadFrom(t *testing.T) {
	broken := errors.New("the disk is broken")
	text := strings.Repeat("x", meterStep+7)
	tests := []struct {
		name   string
		reader io.Reader
		want   int64
		err    error
	}{
		{"nothing", strings.NewReader(""), 0, nil},
		{"unlimited", strings.NewReader(text), meterStep + 7, nil},
		{"limited", &io.LimitedReader{R: strings.NewReader(text), N: meterStep + 3}, meterStep + 3, nil},
		{"one step", &io.LimitedReader{R: strings.NewReader(text), N: meterStep}, meterStep, nil},
		{"limit beyond the end", &io.LimitedReader{R: strings.NewReader(text), N: 1 << 40}, meterStep + 7, nil},
		{"error", io.MultiReader(strings.NewReader(text), failing{broken}), meterStep + 7, broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			near, far := net.Pipe()
			read := make(chan int64)
			go func() {
				n, _ := io.Copy(io.Discard, far)
				read <- n
			}()
			var meter Meter
			dial := meter.Wrap(func(context.Context, string, string) (net.Conn, error) { return near, nil })
			conn, err := dial(t.Context(), "tcp", "")
			if err != nil {
				t.Fatal(err)
			}
			n, err := conn.(io.ReaderFrom).ReadFrom(test.reader)
			_ = conn.Close()
			if got := <-read; n != test.want || got != test.want || meter.Sent() != test.want || !errors.Is(err, test.err) {
				t.Errorf("ReadFrom = %d, %v; %d arrived, %d counted; want %d", n, err, got, meter.Sent(), test.want)
			}
			if limited, ok := test.reader.(*io.LimitedReader); ok && test.want < meterStep+7 && limited.N != 0 {
				t.Errorf("%d bytes are left of the limit", limited.N)
			}
		})
	}
	none := errors.New("nobody listens")
	var meter Meter
	if _, err := meter.Wrap(func(context.Context, string, string) (net.Conn, error) { return nil, none })(t.Context(), "", ""); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
