package distribution

import (
	"context"
	"io"
	"net"
	"sync/atomic"
)

// meterStep is how much is sent between two readings of a Meter, in bytes: what Go
// has the kernel send in one call. Less costs calls.
const meterStep = 4 << 20

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Meter counts the bytes that leave through connections, without keeping the kernel
// from copying files to them.
type Meter struct{ sent atomic.Int64 }

// Sent is the number of bytes that left so far, TLS and HTTP framing included.
func (m *Meter) Sent() int64 { return m.sent.Load() }

// Wrap makes the connections of dial count.
func (m *Meter) Wrap(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &meteredConn{Conn: conn, meter: m}, nil
	}
}

type meteredConn struct {
	net.Conn
	meter *Meter
}

func (c *meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.meter.sent.Add(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom, through which net/http hands a file to the
// kernel. It does so in steps, for the whole of a file would count only at its end.
func (c *meteredConn) ReadFrom(r io.Reader) (total int64, err error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: r, N: 1<<63 - 1}
	}
	for limited.N > 0 {
		step := min(limited.N, meterStep)
		n, err := io.Copy(c.Conn, &io.LimitedReader{R: limited.R, N: step})
		total += n
		limited.N -= n
		c.meter.sent.Add(n)
		if err != nil || n < step {
			return total, err
		}
	}
	return total, nil
}
