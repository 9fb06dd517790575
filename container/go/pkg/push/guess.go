package push

import "sync"

// guess is a question about each image of a run whose answer is mostly the same for
// all. The first image is asked about while the others wait; about those it is asked
// only as long as the answer is yes.
type guess struct {
	mu    sync.Mutex
	known bool
	yes   bool // the last answer
}

// ask asks the question, unless the answer is taken to be no.
func (g *guess) ask(question func() bool) bool {
	g.mu.Lock()
	if !g.known {
		defer g.mu.Unlock()
		g.known, g.yes = true, question()
		return g.yes
	}
	yes := g.yes
	g.mu.Unlock()
	if !yes {
		return false
	}
	if yes = question(); !yes {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.yes = false
	}
	return yes
}
