package distribution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Manifest is a manifest as a registry has it.
type Manifest struct {
	Digest    v1.Hash
	MediaType types.MediaType
	Data      []byte // nil if only its digest was asked for
}

// Absence is what a registry says of a manifest that it does not have.
type Absence int

const (
	// Unknown: the repository may hold other things.
	Unknown Absence = iota
	// NoRepository: the repository does not exist, and so holds nothing.
	NoRepository
)

// accept lists the manifests that a push can tell apart.
func accept() string {
	return strings.Join([]string{
		string(types.DockerManifestSchema2), string(types.OCIManifestSchema1),
		string(types.DockerManifestList), string(types.OCIImageIndex),
	}, ", ")
}

// Manifest asks for the manifest under a tag or digest (distribution-spec, "Pulling
// manifests"). It returns nil where there is none. head asks for its digest only.
func (c *Client) Manifest(ctx context.Context, repository, reference string, head bool) (*Manifest, Absence, error) {
	method := http.MethodGet
	if head {
		method = http.MethodHead
	}
	resp, err := c.do(ctx, request{
		repository: repository,
		method:     method,
		url:        c.url(repository, "manifests/"+reference, nil),
		header:     http.Header{"Accept": {accept()}},
		expect:     []int{http.StatusOK},
		whole:      true,
	})
	switch {
	case hasCode(err, transport.NameUnknownErrorCode):
		return nil, NoRepository, nil
	case IsNotFound(err):
		return nil, Unknown, nil
	case err != nil:
		return nil, Unknown, fmt.Errorf("asking for manifest %s: %w", reference, err)
	}
	defer discard(resp)
	m, err := read(resp, head)
	if err != nil {
		return nil, Unknown, fmt.Errorf("reading manifest %s: %w", reference, err)
	}
	return m, Unknown, nil
}

// read makes a manifest of an answer. What the registry says of its digest is only
// believed where there is nothing to hash.
func read(resp *http.Response, head bool) (*Manifest, error) {
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	m := &Manifest{MediaType: types.MediaType(strings.TrimSpace(mediaType))}
	if head {
		digest, err := v1.NewHash(resp.Header.Get("Docker-Content-Digest"))
		if err != nil {
			return nil, fmt.Errorf("%w: its answer to HEAD names no digest", ErrProtocol)
		}
		m.Digest = digest
		return m, nil
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	m.Data = data
	m.Digest, _, err = v1.SHA256(bytes.NewReader(data))
	return m, err
}

// PutManifest stores a manifest under a tag or digest (distribution-spec, "Pushing
// Manifests") and makes sure that the registry has it under its own digest: by what
// the answer says, or else by asking.
func (c *Client) PutManifest(ctx context.Context, repository, reference string, m Manifest) error {
	resp, err := c.putManifest(ctx, request{
		repository: repository,
		method:     http.MethodPut,
		url:        c.url(repository, "manifests/"+reference, nil),
		header:     http.Header{"Content-Type": {string(m.MediaType)}},
		body:       memory(m.Data),
		expect:     []int{http.StatusCreated, http.StatusOK, http.StatusAccepted},
	})
	if err != nil {
		return fmt.Errorf("putting manifest %s: %w", reference, err)
	}
	discard(resp)
	if resp.Header.Get("Docker-Content-Digest") != "" {
		return stored(resp, m.Digest)
	}
	got, _, err := c.Manifest(ctx, repository, reference, false)
	switch {
	case IsDenied(err):
		return fmt.Errorf("%w: %w", ErrUnread, err)
	case err != nil:
		return fmt.Errorf("reading back what was put: %w", err)
	case got == nil || got.Digest != m.Digest:
		return fmt.Errorf("%w: manifest %s is not %s", ErrDigest, reference, m.Digest)
	}
	return nil
}

// putManifest repeats the request as do does for one without a body: a manifest is
// small, and to put it twice does no harm.
func (c *Client) putManifest(ctx context.Context, r request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, r)
		again := c.retry.again(attempt, err) || status(err) == http.StatusUnauthorized && attempt == 1
		if err == nil || !again {
			return resp, err
		}
		if err := c.pause(ctx, attempt, err); err != nil {
			return nil, err
		}
	}
}

// memory is content that is in memory.
type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) Open(offset int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m[offset:])), nil
}
