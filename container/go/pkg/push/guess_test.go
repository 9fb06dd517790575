package push

import (
	"slices"
	"testing"
)

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []bool
		asked   int
	}{
		{"no", []bool{false, true, true}, 1},
		{"yes", []bool{true, true, true}, 3},
		{"no longer", []bool{true, false, true}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g guess
			asked := 0
			for i, answer := range c.answers {
				got := g.ask(func() bool { asked++; return answer })
				if want := answer && !slices.Contains(c.answers[:i], false); got != want {
					t.Errorf("question %d: %t, want %t", i, got, want)
				}
			}
			if asked != c.asked {
				t.Errorf("asked %d times, want %d", asked, c.asked)
			}
		})
	}
}
