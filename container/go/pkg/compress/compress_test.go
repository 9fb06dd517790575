package compress

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// noise is n bytes that do not compress, the same on each call.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// inputs are of the kinds that take different ways through the encoders.
func inputs() map[string][]byte {
	random := noise(600_001)
	mixed := bytes.Join([][]byte{random[:300_000], bytes.Repeat([]byte("a line of text\n"), 30_000), random[:200_000], make([]byte, 500_000)}, nil)
	return map[string][]byte{
		"empty":         nil,
		"one byte":      {7},
		"one block":     random[:gzipBlock],
		"random":        random,
		"zeros":         make([]byte, 1_100_000),
		"text":          []byte(strings.Repeat("the same words again, and ", 30_000)),
		"base64":        []byte(base64.StdEncoding.EncodeToString(random)),
		"mixed":         mixed,
		"some MiB":      bytes.Repeat(mixed, 2),
		"repeated 4KiB": bytes.Repeat(random[:4096], 200),
	}
}

func compressed(t *testing.T, o Options, in []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	// Writes of odd sizes, that straddle the blocks.
	for p := in; len(p) > 0; {
		n := min(len(p), 99_991)
		if _, err := w.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func expand(t *testing.T, algorithm string, in []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(in)
	var err error
	switch algorithm {
	case Gzip:
		// The standard library's reader: not by the authors of what we write with.
		r, err = gzip.NewReader(r)
	case Zstd:
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	for name, in := range inputs() {
		for _, o := range []Options{{Algorithm: Gzip}, {Algorithm: Gzip, Level: 1}, {Algorithm: Gzip, Level: 9}, {Algorithm: Zstd}, {Algorithm: Zstd, Level: 1}, {Algorithm: Zstd, Level: 22}, {Algorithm: None}} {
			t.Run(fmt.Sprintf("%s/%s %d", name, o.Algorithm, o.Level), func(t *testing.T) {
				raw, blob := sha256.New(), sha256.New()
				o.Raw, o.Blob = raw, blob
				out := compressed(t, o, in)
				if got := expand(t, o.Algorithm, out); !bytes.Equal(got, in) {
					t.Errorf("%d bytes came back as %d others", len(in), len(got))
				}
				if want := sha256.Sum256(in); !bytes.Equal(raw.Sum(nil), want[:]) {
					t.Error("Raw did not get the input")
				}
				if want := sha256.Sum256(out); !bytes.Equal(blob.Sum(nil), want[:]) {
					t.Error("Blob did not get the output")
				}
			})
		}
	}
}

func TestBytesDoNotDependOnCores(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for name, in := range inputs() {
		for _, o := range []Options{{Algorithm: Gzip}, {Algorithm: Gzip, Level: 5}, {Algorithm: Gzip, Level: 7}, {Algorithm: Zstd}, {Algorithm: Zstd, Level: 19}} {
			t.Run(fmt.Sprintf("%s/%s %d", name, o.Algorithm, o.Level), func(t *testing.T) {
				runtime.GOMAXPROCS(1)
				want := compressed(t, o, in)
				for _, cores := range []int{2, 8, 8} {
					runtime.GOMAXPROCS(cores)
					if !bytes.Equal(compressed(t, o, in), want) {
						t.Errorf("other bytes on %d cores", cores)
					}
				}
			})
		}
	}
}

// A block comes out the same from an encoder that has seen others before, which is
// why it does not matter which worker gets it.
func TestEncodersForget(t *testing.T) {
	var blocks [][]byte
	for _, name := range []string{"mixed", "base64", "text", "zeros", "some MiB"} {
		for in := inputs()[name]; len(in) > 0; in = in[min(len(in), gzipBlock):] {
			blocks = append(blocks, in[:min(len(in), gzipBlock)])
		}
	}
	for _, o := range []Options{{Algorithm: Gzip, Level: 1}, {Algorithm: Gzip, Level: 5}, {Algorithm: Gzip}, {Algorithm: Gzip, Level: 9}, {Algorithm: Zstd}, {Algorithm: Zstd, Level: 9}} {
		t.Run(fmt.Sprintf("%s %d", o.Algorithm, o.Level), func(t *testing.T) {
			c, err := newCodec(o)
			if err != nil {
				t.Fatal(err)
			}
			encode := func(e encoder, i int) []byte {
				var dict []byte
				if c.dictSize() > 0 && i > 0 {
					dict = blocks[i-1][max(0, len(blocks[i-1])-c.dictSize()):]
				}
				out, err := e.encode(nil, dict, blocks[i])
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			used, err := c.newEncoder()
			if err != nil {
				t.Fatal(err)
			}
			for i := range blocks {
				fresh, err := c.newEncoder()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(encode(used, i), encode(fresh, i)) {
					t.Errorf("block %d differs", i)
				}
			}
		})
	}
}

func TestSizes(t *testing.T) {
	in := inputs()
	for _, c := range []struct {
		name        string
		least, most float64 // of the input's size
	}{
		{"random", 1, 1.0005},
		{"base64", 0.74, 0.77},
		{"zeros", 0, 0.004},
		{"text", 0, 0.01},
		{"repeated 4KiB", 0, 0.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			ratio := float64(len(compressed(t, Options{Algorithm: Gzip}, in[c.name]))) / float64(len(in[c.name]))
			if ratio < c.least || ratio > c.most {
				t.Errorf("compressed to %.4f of its size, want %.4f to %.4f", ratio, c.least, c.most)
			}
		})
	}
}

func TestGzipHeader(t *testing.T) {
	out := compressed(t, Options{Algorithm: Gzip}, []byte("x"))
	if want := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}; !bytes.HasPrefix(out, want) {
		t.Errorf("starts with % x, want % x: no name, no time, no operating system", out[:10], want)
	}
}

func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want error
	}{
		{Options{Algorithm: Gzip, Level: 10}, ErrLevel},
		{Options{Algorithm: Gzip, Level: -1}, ErrLevel},
		{Options{Algorithm: Zstd, Level: 23}, ErrLevel},
		{Options{Algorithm: None, Level: 1}, ErrLevel},
		{Options{Algorithm: "lzma"}, ErrAlgorithm},
		{Options{}, ErrAlgorithm},
	} {
		if _, err := NewWriter(io.Discard, c.o); !errors.Is(err, c.want) {
			t.Errorf("%+v: error %v, want %v", c.o, err, c.want)
		}
	}
}

var errFull = errors.New("disk full")

// full is a writer that fails after some bytes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestFailingDestination(t *testing.T) {
	for _, left := range []int{0, 5, 500_000} {
		w, err := NewWriter(&full{left}, Options{Algorithm: Gzip})
		if err != nil {
			t.Fatal(err)
		}
		p := noise(100_000)
		for range 200 {
			if _, err := w.Write(p); err != nil {
				break
			}
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: Close gave %v, want %v", left, err, errFull)
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("a second Close gave %v", err)
		}
		if _, err := w.Write(p); !errors.Is(err, errClosed) {
			t.Errorf("Write after Close gave %v", err)
		}
	}
}

func BenchmarkGzip(b *testing.B) {
	for name, in := range inputs() {
		if len(in) < 1<<20 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				w, err := NewWriter(io.Discard, Options{Algorithm: Gzip})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := w.Write(in); err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
