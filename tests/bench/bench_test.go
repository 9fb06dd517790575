package main

import (
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/proxy"
)

func TestChoose(t *testing.T) {
	all := (&bench{}).workloads()
	for _, c := range []struct {
		only string
		want int // 0 for an error
	}{
		{"", len(all)}, {"big", 1}, {"big,many", 2}, {"none", 0}, {"big,", 0}, {"build", 3}, {"push,build", len(all)},
	} {
		t.Run(c.only, func(t *testing.T) {
			got, err := choose(c.only, all)
			if len(got) != c.want || (err != nil) != (c.want == 0) {
				t.Errorf("%d workloads, %v", len(got), err)
			}
		})
	}
}

func TestTracedBytes(t *testing.T) {
	got := tracedBytes(`7 sendfile(8, 9, NULL, 4194304) = 4000000
7 sendfile(8, 9, NULL, 194304) = -1 EAGAIN (Resource temporarily unavailable)
7 sendfile(8, 9, NULL, 194304 <unfinished ...>
8 write(8, "POST = /v2/", 11) = 11
7 <... sendfile resumed>) = 194304
8 +++ exited with 0 +++
`)
	if got["sendfile"] != 4194304 || got["write"] != 11 {
		t.Errorf("counted %v", got)
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	b := &bench{options: options{out: &out}}
	take := func(seconds float64, requests int, failed ...string) sample {
		return sample{
			measure.Usage{Wall: time.Duration(seconds * float64(time.Second)), Peak: 10 * mib, Failed: failed},
			proxy.Counts{Requests: requests, Bytes: 200},
		}
	}
	s := samples{
		"pusher": {take(1, 5), take(9, 5), take(2, 5)},
		"other":  {take(2, 7), take(10, 9), take(5, 8, "it broke")},
	}
	b.table("Title:", []string{"pusher", "other"}, s, 100)
	for _, want := range []string{
		"| pusher | 2.00 s | 1.00 | 0.00 s | 0.00 | 10 MiB | 5 | 2.000 | 0 |",
		"| other (failed) | 5.00 s | 0.50 | 0.00 s | 0.00 | 10 MiB | 7 to 9 | 2.000 | 0 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestFigures(t *testing.T) {
	var out strings.Builder
	b := &bench{options: options{out: &out}}
	b.figures(figure{"requests", 31, 31, ""}, figure{"wall", 1.0307, 1, "x crane"})
	want := "\n- met: requests: 31, at most 31 asked for\n- **unmet**: wall: 1.031 x crane, at most 1 x crane asked for\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
