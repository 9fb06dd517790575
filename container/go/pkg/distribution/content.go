package distribution

import (
	"fmt"
	"io"
	"net/http"
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

// attach makes the rest of content, from offset on, the body of req.
func attach(req *http.Request, content Content, offset int64) error {
	open := func() (io.ReadCloser, error) {
		body, err := content.Open(offset)
		if err != nil {
			return nil, fmt.Errorf("opening what is to be sent: %w", err)
		}
		return body, nil
	}
	req.ContentLength = content.Size() - offset
	if req.ContentLength == 0 {
		req.Body = http.NoBody
		return nil
	}
	body, err := open()
	if err != nil {
		return err
	}
	req.Body = body
	req.GetBody = open // for a redirect, and a connection that was closed while idle
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	return nil
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
