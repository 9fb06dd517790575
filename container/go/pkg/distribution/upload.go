package distribution

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// post sends a blob in one request (distribution-spec, "Single POST"). It returns
// nil if the registry took it, and else where to upload it in the usual way.
func (c *Client) post(ctx context.Context, repository string, b Blob) (*url.URL, error) {
	return c.send(ctx, repository, b, url.Values{"digest": {b.Digest.String()}}, http.Header{})
}

func (c *Client) send(ctx context.Context, repository string, b Blob, query url.Values, header http.Header) (*url.URL, error) {
	resp, err := c.once(ctx, request{
		repository: repository,
		method:     http.MethodPost,
		url:        c.url(repository, "blobs/uploads/", query),
		header:     header,
		body:       b,
		expect:     []int{http.StatusCreated, http.StatusAccepted},
	})
	switch {
	case declined(err):
		return c.begin(ctx, repository, b.Digest, query.Get("from"))
	case err != nil:
		return nil, fmt.Errorf("uploading blob %s: %w", b.Digest, &unsure{err})
	}
	defer discard(resp)
	if resp.StatusCode == http.StatusCreated {
		return nil, stored(resp, b.Digest)
	}
	return location(resp)
}

// put sends the blob from offset on and finishes the upload (distribution-spec,
// "POST then PUT", and "Pushing a blob in chunks" for its last chunk).
func (c *Client) put(ctx context.Context, repository string, at *url.URL, b Blob, offset int64) error {
	header := http.Header{}
	if offset > 0 && offset < b.Size() {
		header.Set("Content-Range", fmt.Sprintf("%d-%d", offset, b.Size()-1))
	}
	resp, err := c.once(ctx, request{
		repository: repository,
		method:     http.MethodPut,
		url:        withQuery(at, "digest", b.Digest.String()),
		header:     header,
		body:       b,
		offset:     offset,
		expect:     []int{http.StatusCreated, http.StatusNoContent},
	})
	if err != nil {
		return fmt.Errorf("uploading blob %s: %w", b.Digest, err)
	}
	defer discard(resp)
	return stored(resp, b.Digest)
}

// state asks how much of an upload the registry has (distribution-spec, "Pushing a
// blob in chunks", on resuming), and where it goes on.
func (c *Client) state(ctx context.Context, repository string, at *url.URL) (*url.URL, int64, error) {
	resp, err := c.do(ctx, request{
		repository: repository,
		method:     http.MethodGet,
		url:        at,
		expect:     []int{http.StatusNoContent, http.StatusOK, http.StatusAccepted},
	})
	if err != nil {
		return nil, 0, fmt.Errorf("asking how far an upload got: %w", err)
	}
	defer discard(resp)
	next := at
	if resp.Header.Get("Location") != "" {
		if next, err = location(resp); err != nil {
			return nil, 0, err
		}
	}
	return next, offset(resp.Header.Get("Range")), nil
}

// offset reads the Range of an upload's state, which names the last byte: 0-99 for
// 100 bytes. Nothing at all is written as 0-0 or as -1, and a single byte as 0-0
// too: it counts as nothing.
func offset(text string) int64 {
	last, ok := strings.CutPrefix(strings.TrimPrefix(text, "bytes="), "0-")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil || n <= 0 || n == math.MaxInt64 {
		return 0
	}
	return n + 1
}

// upload sends a blob to where the registry said it wants it, nil meaning that it
// has not been asked yet. After a failure that may pass it asks the registry how
// far it got and goes on from there; a registry that has forgotten the upload gets
// a new one. Tries are counted anew as long as the upload makes headway.
func (c *Client) upload(ctx context.Context, repository string, at *url.URL, b Blob) error {
	var begun, furthest int64
	for attempt := 1; ; attempt++ {
		if at == nil {
			var err error
			if at, err = c.begin(ctx, repository, b.Digest, ""); err != nil {
				return err
			}
			begun = 0
		}
		err := c.put(ctx, repository, at, b, begun)
		if err == nil {
			return nil
		}
		// Parts that do not make up the blob may have been cut at the wrong place.
		misfit := begun > 0 && status(err) == http.StatusBadRequest && attempt < c.retry.Attempts
		if !misfit && !c.resumable(attempt, err) {
			return err
		}
		if err := c.pause(ctx, attempt, err); err != nil {
			return err
		}
		if misfit {
			at = nil
			continue
		}
		var done bool
		if at, begun, done, err = c.recover(ctx, repository, at, b); err != nil || done {
			return err
		}
		if begun >= furthest+headway {
			furthest, attempt = begun, 0
		}
	}
}

// resumable tells whether an upload that failed may be gone on with.
func (c *Client) resumable(attempt int, err error) bool {
	if attempt >= c.retry.Attempts {
		return false
	}
	switch status(err) {
	case http.StatusRequestedRangeNotSatisfiable, http.StatusNotFound:
		return true // the registry has another idea of how far it got, or none
	case http.StatusUnauthorized:
		return true // the token ended while the blob was under way
	}
	return c.retry.again(attempt, err)
}

// recover finds out what became of a broken upload: where it goes on and from which
// offset, a nil address if it has to begin anew, or that the blob is there.
func (c *Client) recover(ctx context.Context, repository string, at *url.URL, b Blob) (*url.URL, int64, bool, error) {
	if at != nil {
		next, got, err := c.state(ctx, repository, at)
		switch {
		case err == nil && got == 0: // or one byte: 0-0 is said of both
			return nil, 0, false, nil
		case err == nil && got <= b.Size():
			return next, got, false, nil
		}
		if err != nil && status(err) == 0 {
			return nil, 0, false, err
		}
	}
	// The answer may have been all that was lost.
	done, err := c.HasBlob(ctx, repository, b.Digest)
	return nil, 0, done, err
}
