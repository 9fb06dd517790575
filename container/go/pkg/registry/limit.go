package registry

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// limited makes a request when its turn has come: no more than Options.InFlight are
// under way at a time, and one is under way until its answer is closed. It is the
// last thing before the wire, so that nothing that waits here holds a place.
func (c *Client) limited(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	select {
	case c.inFlight <- struct{}{}:
	case <-req.Context().Done():
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, req.Context().Err()
	}
	resp, err := c.first(rt, req)
	if err != nil {
		<-c.inFlight
		return nil, err
	}
	resp.Body = &place{ReadCloser: resp.Body, leave: sync.OnceFunc(func() { <-c.inFlight })}
	return resp, nil
}

// sendAnew makes a request whose body is opened now. It was not before its turn, so
// that no more files are open than are being sent; and the layers above make a request
// twice when a token has ended, and the first time has used the body up.
func sendAnew(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.GetBody != nil && req.Body != nil && req.Body != http.NoBody {
		_ = req.Body.Close()
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	return rt.RoundTrip(req)
}

// first makes a request and, if it is the first question, does not wait for ever.
func (c *Client) first(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/v2/" || c.opts.Patience <= 0 {
		return sendAnew(rt, req)
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.opts.Patience)
	resp, err := sendAnew(rt, req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &place{ReadCloser: resp.Body, leave: cancel}
	return resp, nil
}

// place is the body of an answer; to close it makes room for the next request.
type place struct {
	io.ReadCloser
	leave func()
}

func (p *place) Close() error {
	err := p.ReadCloser.Close()
	p.leave()
	return err
}
