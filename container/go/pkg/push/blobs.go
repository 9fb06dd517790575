package push

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/singleflight"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// blobs knows where on one registry the blobs of a run are. Of those who need a
// blob one leads, and sends it; the others wait for it and mount it.
type blobs struct {
	client   *distribution.Client
	progress *Progress
	calls    singleflight.Group // one request at a time for a blob in a repository

	mu    sync.Mutex
	known map[v1.Hash]*holding
}

// holding is where a blob is.
type holding struct {
	first   string          // a repository that has it, or ""
	in      map[string]bool // all that are known to have it
	leading chan struct{}   // closed when the one who leads is done; nil without one
}

func newBlobs(client *distribution.Client, progress *Progress) *blobs {
	return &blobs{client: client, progress: progress, known: map[v1.Hash]*holding{}}
}

// has notes that a repository has a blob.
func (b *blobs) has(repository string, digest v1.Hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(b.holding(digest), repository)
}

// knows tells whether a repository is known to have a blob.
func (b *blobs) knows(repository string, digest v1.Hash) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holding(digest).in[repository]
}

func (b *blobs) note(h *holding, repository string) {
	if h.first == "" {
		h.first = repository
	}
	h.in[repository] = true
}

func (b *blobs) holding(digest v1.Hash) *holding {
	h, ok := b.known[digest]
	if !ok {
		h = &holding{in: map[string]bool{}}
		b.known[digest] = h
	}
	return h
}

// forget drops what is believed of a repository: the registry knows better.
func (b *blobs) forget(repository string, digests []v1.Hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, digest := range digests {
		h := b.holding(digest)
		delete(h.in, repository)
		if h.first == repository {
			h.first = ""
			for other := range h.in {
				h.first = other
			}
		}
	}
}

// ensure makes sure that a repository has a blob. from is a repository that may have
// it, or ""; fresh says that the repository holds nothing yet. It reports whether
// the repository had it before.
func (b *blobs) ensure(ctx context.Context, repository string, blob distribution.Blob, from string, fresh bool) (bool, error) {
	present, err, _ := b.calls.Do(repository+"@"+blob.Digest.String(), func() (any, error) {
		return b.lead(ctx, repository, blob, from, fresh)
	})
	return err == nil && present.(bool), err
}

func (b *blobs) lead(ctx context.Context, repository string, blob distribution.Blob, from string, fresh bool) (bool, error) {
	for {
		b.mu.Lock()
		h := b.holding(blob.Digest)
		switch {
		case h.in[repository]:
			b.mu.Unlock()
			return true, nil
		case h.first != "":
			origin := distribution.Origin{Repository: h.first, Certain: true}
			b.mu.Unlock()
			_, err := b.client.Ensure(ctx, repository, blob, origin, fresh)
			if err == nil {
				b.has(repository, blob.Digest)
			}
			return false, err
		case h.leading != nil:
			wait := h.leading
			b.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		led := make(chan struct{})
		h.leading = led
		b.mu.Unlock()

		b.progress.Plan(blob.Size())
		outcome, err := b.client.Ensure(ctx, repository, blob, distribution.Origin{Repository: from}, fresh)
		if outcome != distribution.Uploaded {
			b.progress.Plan(-blob.Size())
		}
		b.mu.Lock()
		if err == nil {
			b.note(h, repository)
		}
		h.leading = nil
		b.mu.Unlock()
		close(led)
		return outcome == distribution.Present, err
	}
}
