package distribution

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// blobServer answers each request for a blob as the next step of a script says, and
// the last step for ever.
type blobServer struct {
	*httptest.Server
	blob   []byte
	script []http.HandlerFunc

	mu     sync.Mutex
	ranges []string // of each request
}

func newBlobServer(t *testing.T, blob []byte) *blobServer {
	t.Helper()
	s := &blobServer{blob: blob}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		step := s.script[min(len(s.ranges), len(s.script)-1)]
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		if r.Header.Get("Accept-Encoding") != "identity" {
			http.Error(w, "not as it is", http.StatusNotAcceptable)
			return
		}
		step(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// whole answers as a registry should, ranges included.
func (s *blobServer) whole(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.blob))
}

// noRanges answers with everything, whatever was asked for.
func (s *blobServer) noRanges(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", fmt.Sprint(len(s.blob)))
	_, _ = w.Write(s.blob)
}

// cut begins an answer like next, and ends the connection after n bytes.
func cut(n int, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		next(&cutter{ResponseWriter: w, left: n}, r)
		panic(http.ErrAbortHandler)
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func code(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
}

// chunked sends text without saying how long it is.
func chunked(text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = w.Write(text)
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

func testClient(t *testing.T, address string) *Client {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return New(*base, func(context.Context, string) (http.RoundTripper, error) { return http.DefaultTransport, nil },
		Retry{Attempts: 4, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}, &Stats{})
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(data)
	return data
}

func descriptor(t *testing.T, data []byte, urls ...string) v1.Descriptor {
	t.Helper()
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v1.Descriptor{Digest: digest, Size: size, URLs: urls}
}

func TestGetBlob(t *testing.T) {
	const size = 3 << 20
	blob := randomBytes(size)
	other := append(bytes.Clone(blob[:size-1]), blob[size-1]+1)
	for _, c := range []struct {
		name   string
		script func(s *blobServer) []http.HandlerFunc
		ranges []string
		want   error
	}{
		{"at once", func(s *blobServer) []http.HandlerFunc { return []http.HandlerFunc{s.whole} }, []string{""}, nil},
		{"cut twice", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(1000, s.whole), cut(500, s.whole), s.whole}
		}, []string{"", "bytes=1000-", "bytes=1500-"}, nil},
		{"cut more often than it is tried, with headway", func(s *blobServer) []http.HandlerFunc {
			far := cut(1<<20, s.whole)
			near := cut(1, s.whole)
			return []http.HandlerFunc{near, near, far, near, near, s.whole}
		}, []string{"", "bytes=1-", "bytes=2-", "bytes=1048578-", "bytes=1048579-", "bytes=1048580-"}, nil},
		{"cut for ever", func(s *blobServer) []http.HandlerFunc { return []http.HandlerFunc{cut(1, s.whole)} },
			[]string{"", "bytes=1-", "bytes=2-", "bytes=3-"}, io.ErrUnexpectedEOF},
		{"cut for ever by one that always begins anew", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(2<<20, s.noRanges)}
		}, []string{"", "bytes=2097152-", "bytes=2097152-", "bytes=2097152-"}, io.ErrUnexpectedEOF},
		{"without ranges", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(1000, s.noRanges), s.noRanges}
		}, []string{"", "bytes=1000-"}, nil},
		{"range refused", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(1000, s.whole), code(http.StatusRequestedRangeNotSatisfiable), s.whole}
		}, []string{"", "bytes=1000-", ""}, nil},
		{"another range", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(1000, s.whole), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", size-1, size))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(s.blob)
			}}
		}, []string{"", "bytes=1000-"}, ErrProtocol},
		{"parts of two things", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{cut(1000, func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append([]byte("another"), s.blob[7:]...)))
			}), s.whole, s.whole}
		}, []string{"", "bytes=1000-", ""}, nil},
		{"fails in passing", func(s *blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{code(http.StatusBadGateway), s.whole}
		}, []string{"", ""}, nil},
		{"another blob", func(*blobServer) []http.HandlerFunc { return []http.HandlerFunc{chunked(other)} }, []string{""}, ErrContent},
		{"a longer one that says so", func(*blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{(&blobServer{blob: append(bytes.Clone(blob), 'x')}).noRanges}
		}, []string{""}, ErrContent},
		{"a longer one that does not", func(*blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{chunked(append(bytes.Clone(blob), 'x'))}
		}, []string{""}, ErrContent},
		{"a shorter one that says so", func(*blobServer) []http.HandlerFunc {
			return []http.HandlerFunc{(&blobServer{blob: blob[:10]}).noRanges}
		}, []string{""}, ErrContent},
		{"endless", func(*blobServer) []http.HandlerFunc { return []http.HandlerFunc{endless} }, []string{""}, ErrContent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newBlobServer(t, blob)
			s.script = c.script(s)
			var got int64
			data, err := getBlob(t, testClient(t, s.URL), descriptor(t, blob), func(n int64) { got += n })
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err == nil && (!bytes.Equal(data, blob) || got != size) {
				t.Errorf("%d bytes in the file, %d counted, or not the blob's", len(data), got)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if strings.Join(s.ranges, ",") != strings.Join(c.ranges, ",") {
				t.Errorf("asked for %q, want %q", s.ranges, c.ranges)
			}
		})
	}
}

func getBlob(t *testing.T, c *Client, d v1.Descriptor, got func(int64)) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blob")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := c.GetBlob(context.Background(), "a", d, f, got); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data, nil
}

func TestGetBlobFromURLs(t *testing.T) {
	blob := randomBytes(1000)
	has := newBlobServer(t, blob)
	has.script = []http.HandlerFunc{has.whole}
	has2 := newBlobServer(t, blob)
	has2.script = []http.HandlerFunc{has2.whole}
	none := newBlobServer(t, nil)
	none.script = []http.HandlerFunc{code(http.StatusNotFound)}
	broken := newBlobServer(t, nil)
	broken.script = []http.HandlerFunc{code(http.StatusInternalServerError)}
	liar := newBlobServer(t, nil)
	liar.script = []http.HandlerFunc{chunked([]byte("what?"))}
	for _, c := range []struct {
		name     string
		registry *blobServer
		urls     []string
		want     string // in the error, "" for none
	}{
		{"the registry has it", has, []string{liar.URL}, ""},
		{"only the URL has it", none, []string{has.URL + "/x"}, ""},
		{"the second URL has it", none, []string{none.URL, has.URL}, ""},
		{"a URL lies, the next has it", none, []string{liar.URL, has.URL}, ""},
		{"addresses of no use", none, []string{"file:///etc/passwd", "http://u:p@" + has.Listener.Addr().String(), "::"}, "404"},
		{"nobody has it", none, []string{none.URL}, "404"},
		{"the registry fails", broken, []string{has.URL}, "500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := getBlob(t, testClient(t, c.registry.URL), descriptor(t, blob, c.urls...), func(int64) {})
			if c.want == "" && (err != nil || !bytes.Equal(data, blob)) {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestGetBlobNegativeSize(t *testing.T) {
	d := descriptor(t, nil)
	d.Size = -1
	if _, err := getBlob(t, testClient(t, "http://127.0.0.2:1"), d, func(int64) {}); !errors.Is(err, ErrContent) {
		t.Error(err)
	}
}

func TestImpatient(t *testing.T) {
	blob := randomBytes(1000)
	silence := make(chan struct{})
	t.Cleanup(func() { close(silence) })
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-silence:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	begin := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(blob)))
			_, _ = w.Write(blob[:n])
			w.(http.Flusher).Flush()
			hang(w, r)
		}
	}
	for _, c := range []struct {
		name     string
		script   []http.HandlerFunc
		fails    bool
		requests int
	}{
		{"before the answer", []http.HandlerFunc{hang}, true, 1},
		{"in the middle", []http.HandlerFunc{begin(100), nil}, false, 2},
		{"in the middle for ever", []http.HandlerFunc{begin(0)}, true, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newBlobServer(t, blob)
			for _, step := range c.script {
				if step == nil {
					step = s.whole
				}
				s.script = append(s.script, step)
			}
			client := testClient(t, s.URL)
			client.transports = func(context.Context, string) (http.RoundTripper, error) {
				return Impatient{Transport: http.DefaultTransport, Silence: 300 * time.Millisecond}, nil
			}
			data, err := getBlob(t, client, descriptor(t, blob), func(int64) {})
			var timeout interface{ Timeout() bool }
			if c.fails && (!errors.As(err, &timeout) || !timeout.Timeout() || !strings.Contains(err.Error(), "sent nothing for")) {
				t.Errorf("got %v", err)
			}
			if !c.fails && (err != nil || !bytes.Equal(data, blob)) {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.ranges) != c.requests {
				t.Errorf("%d requests, want %d", len(s.ranges), c.requests)
			}
		})
	}
}
