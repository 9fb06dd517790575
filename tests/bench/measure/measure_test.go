package measure

import (
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []int
		want   int
	}{
		{"none", nil, 0},
		{"one", []int{7}, 7},
		{"odd", []int{9, 1, 5}, 5},
		{"even, the lower", []int{4, 2, 1, 9}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Median(c.values); got != c.want {
				t.Errorf("Median(%v) = %d, want %d", c.values, got, c.want)
			}
		})
	}
}

func TestRatio(t *testing.T) {
	if got, ok := Ratio([]float64{1, 10, 3}, []float64{2, 10, 4}); !ok || got != 0.75 {
		t.Errorf("Ratio = %v, %v; want 0.75", got, ok)
	}
	if _, ok := Ratio([]float64{1}, nil); ok {
		t.Error("a ratio without a pair")
	}
}

func TestLaunch(t *testing.T) {
	script := func(text string) Command {
		return Command{Args: []string{"/bin/sh", "-c", text}, Env: []string{"WORD=said"}}
	}
	usage := Launch(Task{
		Commands: []Command{script("exit 0"), script("echo $WORD; exit 3"), {Args: []string{"/nonexistent/program"}}},
		Parallel: 2,
		Timeout:  time.Minute,
	})
	failures := strings.Join(usage.Failed, "\n")
	if len(usage.Failed) != 2 || !strings.Contains(failures, "exit status 3: said") || !strings.Contains(failures, "/nonexistent/program") {
		t.Errorf("failures: %q", usage.Failed)
	}
	if usage.Wall <= 0 || usage.Peak <= 0 {
		t.Errorf("nothing measured: %+v", usage)
	}
	t.Run("timeout", func(t *testing.T) {
		usage := Launch(Task{Commands: []Command{script("sleep 600 & wait")}, Timeout: time.Millisecond})
		if len(usage.Failed) != 1 {
			t.Errorf("a command outlived its timeout: %+v", usage)
		}
	})
}
