package distribution

import (
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// trait is something that one registry does and another does not. It is found out
// by doing it, once, while others who want to know wait.
type trait struct {
	mu    sync.Mutex
	known bool
	value bool
}

// get tells the trait, if it is known. If it is not, it calls learn, which tells
// what it learned; whoever calls get meanwhile waits. learned says that learn ran.
func (t *trait) get(learn func() (value, known bool)) (value, learned bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known {
		return t.value, false
	}
	t.value, t.known = learn()
	return t.value, true
}

// is tells whether the trait is known to be value. It waits for who is learning it.
func (t *trait) is(value bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known && t.value == value
}

// traits of a registry.
type traits struct {
	// onePost: an upload can be made in one request (distribution-spec, "Single
	// POST"), to which others answer by beginning an upload in the usual way.
	onePost trait
	// mounts: a blob that is in one repository can be mounted into another. Where
	// not, a blob may still be found in all repositories once it is in one.
	mounts trait
}

// witness remembers one blob that is known to be in a repository.
type witness struct {
	mu         sync.Mutex
	repository string
	digest     v1.Hash
}

func (w *witness) see(repository string, digest v1.Hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repository, w.digest = repository, digest
}

func (w *witness) any() (repository string, digest v1.Hash, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.repository, w.digest, w.repository != ""
}
