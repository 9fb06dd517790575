package distribution

import (
	"sync"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

// Kinds of registries that there are.
var (
	dockerLike = scripted.Traits{Mounts: true, Digests: true}
	onePosting = scripted.Traits{Mounts: true, Digests: true, OnePost: true, Absolute: true}
	sharing    = scripted.Traits{Global: true, OnePost: true}
	plain      = scripted.Traits{}
)

// asked is one call of Ensure and what it may cost.
type asked struct {
	size    int
	from    Origin
	fresh   bool
	there   string // a repository that has the blob; empty for none
	want    []string
	bytes   int64
	present bool
}

// counts are those of Stats.
type counts struct{ uploaded, mounted, present int64 }

// Ensure takes as few requests as each kind of registry allows. The calls of a case
// follow each other, so that what was learned of the registry tells.
func TestEconomy(t *testing.T) {
	nowhere, maybe, surely := Origin{}, Origin{other, false}, Origin{other, true}
	two := []string{"POST upload", "PUT upload"}
	tests := []struct {
		name   string
		traits scripted.Traits
		calls  []asked
		counts counts
	}{
		{"fresh/one POST", onePosting, []asked{
			{size: small, fresh: true, want: []string{"POST upload+blob"}, bytes: small},
			{size: usual, fresh: true, want: []string{"POST upload+blob"}, bytes: usual},
			{size: big, fresh: true, want: []string{"POST upload+blob"}, bytes: big},
			{size: modest + 1, fresh: true, want: two, bytes: modest + 1},
			{size: 0, fresh: true, want: []string{"POST upload+blob"}},
		}, counts{uploaded: 5}},
		{"fresh/one POST/not tried with what is big", onePosting, []asked{
			{size: big, fresh: true, want: two, bytes: big},
		}, counts{uploaded: 1}},
		{"fresh/docker-registry", dockerLike, []asked{
			{size: small, fresh: true, want: []string{"POST upload+blob", "PUT upload"}, bytes: 2 * small},
			{size: small + 1, fresh: true, want: two, bytes: small + 1},
			{size: usual, fresh: true, want: two, bytes: usual},
			{size: big, fresh: true, want: two, bytes: big},
			{size: 0, fresh: true, want: two},
		}, counts{uploaded: 5}},
		{"not fresh/docker-registry", dockerLike, []asked{
			{size: usual, from: nowhere, want: []string{"POST mount", "PUT upload"}, bytes: usual},
			{size: usual + 1, there: repo, want: []string{"POST mount"}, present: true},
			{size: big, want: []string{"POST mount", "POST mount", "PUT upload"}, bytes: big}, // learns of mounts
			{size: big + 1, want: []string{"POST mount", "PUT upload"}, bytes: big + 1},
			{size: big + 2, there: repo, want: []string{"POST mount"}, present: true},
			{size: big + 3, from: maybe, there: other, want: []string{"POST mount"}},
			{size: big + 4, from: maybe, want: []string{"POST mount", "PUT upload"}, bytes: big + 4},
		}, counts{uploaded: 4, mounted: 1, present: 2}},
		{"certain origin/mounts", dockerLike, []asked{
			{size: small, from: surely, there: other, fresh: true, want: []string{"POST mount"}},
			{size: usual, from: surely, there: other, fresh: true, want: []string{"POST mount"}},
			{size: big, from: surely, there: other, want: []string{"POST mount"}},
		}, counts{mounted: 3}},
		{"certain origin/the repository itself", dockerLike, []asked{
			{size: usual, from: Origin{repo, true}, there: repo, want: []string{"POST mount"}, present: true},
		}, counts{present: 1}},
		{"certain origin/shared blobs", sharing, []asked{
			{size: usual, from: surely, there: other, fresh: true, want: []string{"POST mount", "HEAD blob"}, present: true},
			{size: big, from: surely, there: other, fresh: true, want: []string{"HEAD blob"}, present: true},
		}, counts{present: 2}},
		{"certain origin/neither", plain, []asked{
			{size: usual, from: surely, there: other, fresh: true, want: []string{"POST mount", "HEAD blob", "PUT upload"}, bytes: usual},
			{size: big, from: surely, there: other, fresh: true, want: append([]string{"HEAD blob"}, two...), bytes: big},
		}, counts{uploaded: 2}},
		{"certain origin/lied to", dockerLike, []asked{
			{size: usual, from: surely, fresh: true, want: []string{"POST mount", "HEAD blob", "PUT upload"}, bytes: usual},
		}, counts{uploaded: 1}},
		{"not fresh/one POST", onePosting, []asked{
			{size: small, want: []string{"POST upload+blob"}, bytes: small},
			{size: usual, want: []string{"POST mount+blob"}, bytes: usual},
			{size: usual + 1, there: repo, want: []string{"POST mount+blob"}, present: true},
			{size: big, there: repo, want: []string{"POST mount", "POST mount+blob"}, present: true}, // learns of mounts
			{size: big + 1, there: repo, want: []string{"POST mount+blob"}, present: true},
			{size: big + 2, want: []string{"POST mount+blob"}, bytes: big + 2},
			{size: big + 3, from: maybe, there: other, want: []string{"POST mount+blob"}},
			{size: modest + 1, there: repo, want: []string{"POST mount"}, present: true},
		}, counts{uploaded: 3, mounted: 1, present: 4}},
		{"not fresh/no mounts", plain, []asked{
			{size: small, want: []string{"POST upload+blob", "PUT upload"}, bytes: 2 * small},
			{size: big, want: append([]string{"POST mount", "HEAD blob"}, two...), bytes: big}, // learns of mounts
			{size: big + 1, want: append([]string{"HEAD blob"}, two...), bytes: big + 1},
			{size: big + 2, there: repo, want: []string{"HEAD blob"}, present: true},
		}, counts{uploaded: 3, present: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.traits)
			var requests int
			var bytes int64
			for _, call := range test.calls {
				data := random(call.size)
				if call.there != "" {
					w.registry.AddBlob(call.there, data)
				}
				b := blobOf(t, data)
				if got := w.ensure(b, call.from, call.fresh); got != call.present {
					t.Errorf("%d bytes: present = %t", call.size, got)
				}
				w.has(repo, b)
				w.did(requests, call.want...)
				requests += len(call.want)
				bytes += call.bytes
				w.received(bytes)
			}
			got := counts{w.stats.Uploaded.Load(), w.stats.Mounted.Load(), w.stats.Present.Load()}
			if got != test.counts {
				t.Errorf("counted %+v, want %+v", got, test.counts)
			}
			w.slept(nil)
			w.counted()
		})
	}
}

// What is offered is not sent unless the registry asks for it.
func TestOfferIsExpected(t *testing.T) {
	w := newWorld(t, onePosting)
	w.ensure(blobOf(t, random(small)), Origin{}, true)
	data := random(usual)
	w.registry.AddBlob(repo, data)
	w.ensure(blobOf(t, data), Origin{}, false)
	log := w.registry.Log()
	offer := log[len(log)-1]
	if got := offer.Header.Get("Expect"); got != "100-continue" {
		t.Errorf("Expect: %q", got)
	}
	if got := offer.Header.Get("Content-Length"); got != "200000" || offer.Body != 0 {
		t.Errorf("%s bytes were offered, %d came", got, offer.Body)
	}
}

// Many at once find out once what the registry can do.
func TestLearnOnce(t *testing.T) {
	w := newWorld(t, dockerLike)
	const many = 16
	var group sync.WaitGroup
	for i := range many {
		b := blobOf(t, random(small+i))
		group.Go(func() {
			if _, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	tried := 0
	for _, what := range w.registry.Sequence() {
		if what == "POST upload+blob" {
			tried++
		}
	}
	if tried != 1 {
		t.Errorf("one POST was tried %d times", tried)
	}
	if got := len(w.registry.Log()); got != 2*many {
		t.Errorf("%d requests for %d blobs", got, many)
	}
}

// What fails in passing teaches nothing.
func TestFailureTeachesNothing(t *testing.T) {
	w := newWorld(t, onePosting)
	w.registry.Script("POST upload+blob", 1, scripted.Status(503))
	w.ensure(blobOf(t, random(small)), Origin{}, true)
	before := len(w.registry.Log())
	w.ensure(blobOf(t, random(small+1)), Origin{}, true)
	w.did(before, "POST upload+blob")
}
