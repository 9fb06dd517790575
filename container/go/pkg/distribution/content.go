package distribution

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Content is bytes that can be read again from any offset.
type Content interface {
	// Size in bytes.
	Size() int64
	// Open reads from offset, which is at most Size. An *os.File that it returns is
	// sent by the kernel where the connection allows it.
	Open(offset int64) (io.ReadCloser, error)
}

// attach makes the rest of content, from offset on, the body of req. It is opened by
// whoever reads it or calls GetBody: many requests may wait for their turn, and fewer
// files can be open.
func attach(req *http.Request, content Content, offset int64) {
	req.ContentLength = content.Size() - offset
	if req.ContentLength == 0 {
		req.Body = http.NoBody
		return
	}
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := content.Open(offset)
		if err != nil {
			return nil, fmt.Errorf("opening what is to be sent: %w", err)
		}
		return body, nil
	}
	req.Body = &unopened{open: req.GetBody}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
}

// unopened is a body that is opened by its first Read. net/http may close it meanwhile.
type unopened struct {
	open func() (io.ReadCloser, error)

	mu     sync.Mutex
	body   io.ReadCloser // nil before
	closed bool
}

func (u *unopened) Read(p []byte) (int, error) {
	body, err := u.opened()
	if err != nil {
		return 0, err
	}
	return body.Read(p)
}

func (u *unopened) opened() (body io.ReadCloser, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, http.ErrBodyReadAfterClose
	}
	if u.body == nil {
		u.body, err = u.open()
	}
	return u.body, err
}

func (u *unopened) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	if u.body == nil {
		return nil
	}
	return u.body.Close()
}

// watched tells whether any of its content was read.
type watched struct {
	Content
	read atomic.Bool
}

func (w *watched) Open(offset int64) (io.ReadCloser, error) {
	body, err := w.Content.Open(offset)
	if err != nil {
		return nil, err
	}
	return &watchedBody{body, &w.read}, nil
}

type watchedBody struct {
	io.ReadCloser
	read *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}
