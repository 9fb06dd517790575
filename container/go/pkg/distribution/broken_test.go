package distribution

import (
	"fmt"
	"slices"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

// What is requested for a blob that a fresh repository does not have, if its PUT fails.
var (
	begun     = []string{"POST upload", "PUT upload"}
	goneOn    = append(begun[:2:2], "GET upload", "PUT upload")
	startOver = append(begun[:2:2], "GET upload", "HEAD blob", "POST upload", "PUT upload")
	// The upload is there, and has nothing.
	anew = append(begun[:2:2], "GET upload", "POST upload", "PUT upload")
)

// A broken connection costs no more than what was not received yet, where the
// registry keeps partial uploads, and else one clean restart.
func TestBrokenUpload(t *testing.T) {
	cuts := []struct {
		at    string
		bytes int64
	}{{"one byte", 1}, {"1 %", big / 100}, {"50 %", big / 2}, {"90 %", big / 10 * 9}, {"100 %", big}}
	faults := []struct {
		name  string
		fault func(int64) scripted.Fault
	}{{"reset", scripted.Reset}, {"half closed", scripted.HalfClose}}
	for _, keeps := range []bool{true, false} {
		for _, fault := range faults {
			for _, cut := range cuts {
				t.Run(fmt.Sprintf("keeps=%t/%s/%s", keeps, fault.name, cut.at), func(t *testing.T) {
					w := newWorld(t, scripted.Traits{Keeps: keeps})
					w.registry.Script("PUT upload", 1, fault.fault(cut.bytes))
					b := fileOf(t, random(big))
					if w.ensure(b, Origin{}, true) {
						t.Error("it is said to have been there")
					}
					w.has(repo, b)
					w.slept(pauses(1))
					w.counted()
					switch {
					case keeps && cut.bytes == 1: // a registry writes 0-0 for none as for one
						w.did(0, anew...)
						w.received(big + 1)
					case keeps:
						w.did(0, goneOn...)
						w.received(big)
					default:
						w.did(0, startOver...)
						w.received(big + cut.bytes)
					}
				})
			}
		}
	}
}

// Each break is one more attempt; whoever makes progress gets there.
func TestBrokenAgainAndAgain(t *testing.T) {
	w := newWorld(t, scripted.Traits{Keeps: true})
	w.registry.Script("PUT upload", 5, scripted.Reset(big/10))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.received(big)
	w.slept(pauses(5))
	if got := len(w.registry.Log()); got != 2+5*2 {
		t.Errorf("%d requests", got)
	}
	want := fmt.Sprintf("%d-%d", big/2, big-1)
	if got := w.registry.Log()[11].Header.Get("Content-Range"); got != want {
		t.Errorf("Content-Range %q, want %q", got, want)
	}
}

// Over a link that breaks all the time a large blob arrives, as long as each try brings
// it a good deal further.
func TestHeadway(t *testing.T) {
	const cuts, part = 12, headway + 1000
	w := newWorld(t, scripted.Traits{Keeps: true})
	w.registry.Script("PUT upload", cuts, scripted.Reset(part))
	b := fileOf(t, random(cuts*part+small))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.received(b.Size())
	w.slept(slices.Repeat(pauses(1), cuts))
}

func TestBrokenForGood(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		t.Run(fmt.Sprintf("keeps=%t", keeps), func(t *testing.T) {
			w := newWorld(t, scripted.Traits{Keeps: keeps})
			w.registry.Script("PUT upload", scripted.Always, scripted.Reset(big/100))
			b := fileOf(t, random(big))
			_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
			failed(t, err, b.Digest.String())
			w.hasNot(repo, b)
			w.slept(pauses(5))
			if got := w.stats.Uploaded.Load(); got != 0 {
				t.Errorf("Uploaded = %d", got)
			}
		})
	}
}

// An answer that was lost is no reason to send the blob again.
func TestLostAnswer(t *testing.T) {
	mounting := scripted.Traits{Mounts: true}
	tests := []struct {
		name   string
		traits scripted.Traits
		size   int
		from   Origin
		fresh  bool
		what   string
		want   []string
		bytes  int64
	}{
		{"PUT", scripted.Traits{}, big, Origin{}, true, "PUT upload",
			append(begun[:2:2], "GET upload", "HEAD blob"), big},
		{"one POST", scripted.Traits{OnePost: true}, small, Origin{}, true, "POST upload+blob",
			[]string{"POST upload+blob", "HEAD blob"}, small},
		{"POST", scripted.Traits{}, big, Origin{}, true, "POST upload",
			[]string{"POST upload", "POST upload", "PUT upload"}, big},
		{"mount", mounting, big, Origin{other, true}, true, "POST mount",
			[]string{"POST mount", "POST mount"}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.traits)
			w.registry.Script(test.what, 1, scripted.LoseAnswer())
			data := random(test.size)
			w.registry.AddBlob(other, data)
			b := fileOf(t, data)
			w.ensure(b, test.from, test.fresh)
			w.has(repo, b)
			w.did(0, test.want...)
			w.received(test.bytes)
			w.slept(pauses(1))
		})
	}
}

// What was received and what the registry thinks it received may differ: parts that
// do not fit are a reason to send all of it once more.
func TestPartsDoNotFit(t *testing.T) {
	w := newWorld(t, scripted.Traits{Keeps: true})
	w.registry.Script("PUT upload", 1, scripted.Reset(big/2))
	w.registry.Script("PUT upload", 1, scripted.Refuse(400, "DIGEST_INVALID"))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.did(0, append(goneOn[:4:4], begun...)...)
	w.slept(pauses(2))
}

// A whole blob that does not have its digest is nothing that passes.
func TestWrongDigest(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	b := Blob{Digest: sumOf(t, random(small)), Content: memory(random(big))}
	_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
	failed(t, err, "DIGEST_INVALID")
	w.did(0, begun...)
	w.slept(nil)
	if w.registry.Uploads() != 0 {
		t.Error("an upload is left")
	}
}

// A token may end while a blob is under way.
func TestUnauthorizedInMidUpload(t *testing.T) {
	for name, fault := range map[string]scripted.Fault{
		"after the body":  scripted.Status(401),
		"before the body": scripted.Early(401),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scripted.Traits{})
			w.registry.Script("PUT upload", 1, fault)
			b := fileOf(t, random(usual))
			w.ensure(b, Origin{other, false}, false)
			w.has(repo, b)
			w.did(0, "POST mount", "PUT upload", "GET upload", "POST upload", "PUT upload")
			w.slept(pauses(1))
		})
	}
}
