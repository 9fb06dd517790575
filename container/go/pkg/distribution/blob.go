package distribution

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Blob is content under its digest.
type Blob struct {
	Digest v1.Hash
	Content
}

// HasBlob asks whether repository has a blob (distribution-spec, "Checking if
// content exists in the registry").
func (c *Client) HasBlob(ctx context.Context, repository string, digest v1.Hash) (bool, error) {
	resp, err := c.do(ctx, request{
		repository: repository,
		method:     http.MethodHead,
		url:        c.url(repository, "blobs/"+digest.String(), nil),
		expect:     []int{http.StatusOK},
	})
	switch {
	case IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("asking for blob %s: %w", digest, err)
	}
	discard(resp)
	return true, nil
}

// begin asks to mount a blob from a repository and, where the registry does not,
// begins an upload of it: distribution-spec, "Mounting a blob from another
// repository", lets one request do for both. From the same repository it asks
// whether the blob is there already. An empty from only begins an upload.
//
// It returns nil if the repository has the blob now, and else where to upload it.
func (c *Client) begin(ctx context.Context, repository string, digest v1.Hash, from string) (*url.URL, error) {
	query := url.Values{}
	if from != "" {
		query.Set("mount", digest.String())
		query.Set("from", from)
	}
	resp, err := c.do(ctx, request{
		repository: repository,
		method:     http.MethodPost,
		url:        c.url(repository, "blobs/uploads/", query),
		expect:     []int{http.StatusCreated, http.StatusAccepted},
	})
	if err != nil {
		return nil, fmt.Errorf("beginning to upload blob %s: %w", digest, err)
	}
	defer discard(resp)
	if resp.StatusCode == http.StatusCreated {
		if from == "" {
			return nil, fmt.Errorf("%w: it says that it has blob %s, of which it got nothing", ErrProtocol, digest)
		}
		return nil, stored(resp, digest)
	}
	return location(resp)
}

// stored checks what an answer 201 says was stored, if it says so.
func stored(resp *http.Response, want v1.Hash) error {
	got := resp.Header.Get("Docker-Content-Digest")
	if got != "" && got != want.String() {
		return fmt.Errorf("%w: %s under %s", ErrDigest, got, want)
	}
	return nil
}
