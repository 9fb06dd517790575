package push

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// blobs knows where on one registry the blobs of a run are. Of those who need a
// blob one sends it; the others wait for that and mount it.
type blobs struct {
	client   *distribution.Client
	progress *Progress

	mu    sync.Mutex
	known map[v1.Hash]*holding
}

// holding is where a blob is.
type holding struct {
	first string           // a repository that has it, or ""
	in    map[string]bool  // all that are known to have it
	turns map[string]*turn // those that are getting it now
}

// turn is the time in which a repository is getting a blob.
type turn struct {
	over chan struct{}
	err  error // set before over is closed
}

// turn is what a repository has to wait for before it may get the blob: whoever gets it
// there already or, as long as no repository has it, anywhere. nil is nothing.
func (h *holding) turn(repository string) *turn {
	if t := h.turns[repository]; t != nil || h.first != "" {
		return t
	}
	for _, t := range h.turns {
		return t
	}
	return nil
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
		h = &holding{in: map[string]bool{}, turns: map[string]*turn{}}
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
// the repository had it before, which is no if it has just got it.
func (b *blobs) ensure(ctx context.Context, repository string, blob distribution.Blob, from string, fresh bool) (bool, error) {
	for waited := false; ; waited = true {
		b.mu.Lock()
		h := b.holding(blob.Digest)
		if h.in[repository] {
			b.mu.Unlock()
			return !waited, nil
		}
		if theirs := h.turn(repository); theirs != nil {
			b.mu.Unlock()
			select {
			case <-theirs.over:
			case <-ctx.Done():
				return false, ctx.Err()
			}
			if distribution.IsPassing(theirs.err) {
				return false, theirs.err // it was tried patiently enough for all
			}
			continue
		}
		mine := &turn{over: make(chan struct{})}
		h.turns[repository] = mine
		first := h.first
		b.mu.Unlock()

		there, err := b.get(ctx, repository, blob, first, from, fresh)
		b.mu.Lock()
		delete(h.turns, repository)
		if err == nil {
			b.note(h, repository)
		}
		b.mu.Unlock()
		mine.err = err
		close(mine.over)
		return there, err
	}
}

// get is ensure for the one whose turn it is. first is a repository that has the blob,
// or "".
func (b *blobs) get(ctx context.Context, repository string, blob distribution.Blob, first, from string, fresh bool) (bool, error) {
	if first != "" {
		_, err := b.client.Ensure(ctx, repository, blob, distribution.Origin{Repository: first, Certain: true}, fresh)
		return false, err
	}
	b.progress.Plan(blob.Size())
	outcome, err := b.client.Ensure(ctx, repository, blob, distribution.Origin{Repository: from}, fresh)
	if outcome != distribution.Uploaded {
		b.progress.Plan(-blob.Size())
	}
	return err == nil && outcome == distribution.Present, err
}
