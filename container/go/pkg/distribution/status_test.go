package distribution

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

func failed(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func repeat(n int, what ...string) []string { return slices.Repeat(what, n) }

func join(parts ...[]string) []string { return slices.Concat(parts...) }

// step is one thing that a client does, and what it sends for it.
type step struct {
	name  string
	what  string // the request that fails
	run   func(w *world) error
	once  []string // requests if it fails once
	never []string // requests if it does so for ever
}

func steps(t *testing.T) []step {
	data := random(big)
	ensure := func(from Origin, fresh bool) func(w *world) error {
		return func(w *world) error {
			_, err := w.client.Ensure(t.Context(), repo, fileOf(t, data), from, fresh)
			return err
		}
	}
	return []step{
		{"POST", "POST upload", ensure(Origin{}, true),
			[]string{"POST upload", "POST upload", "PUT upload"}, repeat(6, "POST upload")},
		{"mount", "POST mount", ensure(Origin{other, true}, true),
			[]string{"POST mount", "POST mount"}, repeat(6, "POST mount")},
		{"PUT", "PUT upload", ensure(Origin{}, true), goneOnFromZero(1),
			goneOnFromZero(5)},
		{"one POST", "POST upload+blob", func(w *world) error {
			_, err := w.client.Ensure(t.Context(), repo, blobOf(t, random(small)), Origin{}, true)
			return err
		}, []string{"POST upload+blob", "HEAD blob", "POST upload", "PUT upload"}, nil},
		{"HEAD blob", "HEAD blob", func(w *world) error {
			_, err := w.client.HasBlob(t.Context(), repo, sumOf(t, data))
			return err
		}, repeat(2, "HEAD blob"), repeat(6, "HEAD blob")},
		{"GET manifest", "GET manifest", func(w *world) error {
			_, _, err := w.client.Manifest(t.Context(), repo, "latest", false)
			return err
		}, repeat(2, "GET manifest"), repeat(6, "GET manifest")},
		{"HEAD manifest", "HEAD manifest", func(w *world) error {
			_, _, err := w.client.Manifest(t.Context(), repo, "latest", true)
			return err
		}, repeat(2, "HEAD manifest"), repeat(6, "HEAD manifest")},
		{"PUT manifest", "PUT manifest", func(w *world) error {
			return w.client.PutManifest(t.Context(), repo, "latest", manifestOf(t))
		}, repeat(2, "PUT manifest"), repeat(6, "PUT manifest")},
	}
}

// goneOnFromZero is an upload that was refused n times before it took a byte: what
// the registry has is as good as nothing, so that it is begun anew.
func goneOnFromZero(n int) []string {
	return join(begun, repeat(n, "GET upload", "POST upload", "PUT upload"))
}

func TestServerErrors(t *testing.T) {
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		for _, step := range steps(t) {
			setUp := func(t *testing.T, times int) *world {
				w := newWorld(t, scripted.Traits{Mounts: true, Digests: true, Keeps: true})
				w.registry.AddBlob(other, random(big))
				w.registry.Script(step.what, times, scripted.Status(status))
				return w
			}
			t.Run(fmt.Sprintf("%d/%s/once", status, step.name), func(t *testing.T) {
				w := setUp(t, 1)
				if err := step.run(w); err != nil {
					t.Fatal(err)
				}
				w.did(0, step.once...)
				w.slept(pauses(1))
				w.counted()
			})
			if step.never == nil {
				continue
			}
			t.Run(fmt.Sprintf("%d/%s/for ever", status, step.name), func(t *testing.T) {
				w := setUp(t, scripted.Always)
				err := step.run(w)
				failed(t, err, http.StatusText(status))
				w.did(0, step.never...)
				w.slept(pauses(5))
				w.counted()
				w.hasNot(repo, fileOf(t, random(big)))
				if w.registry.Manifest(repo, "latest") != nil {
					t.Error("there is a tag")
				}
			})
		}
	}
}

// A proxy may give up on a registry that does not: what it was about is there.
func TestGatewayGivesUp(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	w.registry.Script("PUT upload", 1, scripted.StatusAfter(504))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.did(0, append(begun[:2:2], "GET upload", "HEAD blob")...)
	w.received(big)

	w = newWorld(t, scripted.Traits{Digests: true})
	w.registry.Script("PUT manifest", 1, scripted.StatusAfter(504))
	m := manifestOf(t)
	if err := w.client.PutManifest(t.Context(), repo, "latest", m); err != nil {
		t.Fatal(err)
	}
	if got := w.registry.Manifest(repo, "latest"); string(got) != string(m.Data) {
		t.Errorf("manifest %q", got)
	}
}

// A registry that says 503 to everything from some request on is not asked for ever.
func TestRegistryGoesDown(t *testing.T) {
	w := newWorld(t, scripted.Traits{Keeps: true})
	for _, what := range []string{"PUT upload", "GET upload", "HEAD blob", "POST upload"} {
		if what == "POST upload" {
			w.registry.Script(what, 1, scripted.Proceed())
		}
		w.registry.Script(what, scripted.Always, scripted.Status(503))
	}
	b := fileOf(t, random(big))
	_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
	failed(t, err, "Service Unavailable")
	w.did(0, join(begun, repeat(6, "GET upload"), repeat(6, "HEAD blob"))...)
}

func TestRetryAfter(t *testing.T) {
	date := time.Now().Add(3 * time.Minute).UTC().Format(http.TimeFormat)
	tests := []struct {
		name     string
		after    string
		min, max time.Duration // of the pause; 0 for none, which is a failure
	}{
		{"seconds", "7", 7 * time.Second, 7 * time.Second},
		{"zero", "0", 0, 0},
		{"at the limit", "300", 5 * time.Minute, 5 * time.Minute},
		// The date was made a moment ago, and has no fractions.
		{"date", date, time.Minute, 3 * time.Minute},
		{"past date", "Mon, 02 Jan 2006 15:04:05 GMT", 0, 0},
		{"nonsense", "soon", 250 * time.Millisecond, 250 * time.Millisecond},
		{"negative", "-7", 250 * time.Millisecond, 250 * time.Millisecond},
		{"too long", "301", -1, -1},
		{"absurd", "99999999999999", -1, -1},
		{"beyond numbers", "99999999999999999999999", -1, -1},
		{"distant date", "Fri, 31 Dec 9999 23:59:59 GMT", -1, -1},
	}
	for _, step := range steps(t) {
		for _, test := range tests {
			t.Run(step.name+"/"+test.name, func(t *testing.T) {
				w := newWorld(t, scripted.Traits{Mounts: true, Digests: true, Keeps: true})
				w.registry.AddBlob(other, random(big))
				w.registry.Script(step.what, 1, scripted.Status(429, "Retry-After: "+test.after))
				err := step.run(w)
				if test.min < 0 {
					failed(t, err, "Too Many Requests")
					w.slept(nil)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := w.clock.slept; len(got) != 1 || got[0] < test.min || got[0] > test.max {
					t.Errorf("slept %v, want from %v to %v", got, test.min, test.max)
				}
			})
		}
	}
}

// Answers that are dealt with in another way than by waiting must not make a client
// wait without bound either.
func TestRetryAfterIsBounded(t *testing.T) {
	for _, status := range []int{401, 404, 416} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t, scripted.Traits{})
			w.registry.Script("PUT upload", 1, scripted.Status(status, "Retry-After: 1000000"))
			w.ensure(fileOf(t, random(big)), Origin{}, true)
			w.slept([]time.Duration{5 * time.Minute})
		})
	}
}

// What does not pass is said at once.
func TestRefusals(t *testing.T) {
	for _, status := range []int{400, 403, 404, 405, 409, 413, 501} {
		for _, step := range steps(t) {
			if step.what == "PUT upload" && status == 404 || step.what == "POST upload+blob" ||
				strings.Contains(step.what, "HEAD") && status == 404 || step.what == "GET manifest" && status == 404 ||
				step.what == "POST mount" && status < 500 {
				continue // which has a meaning
			}
			t.Run(fmt.Sprintf("%d/%s", status, step.name), func(t *testing.T) {
				w := newWorld(t, scripted.Traits{Mounts: true})
				w.registry.AddBlob(other, random(big))
				w.registry.Script(step.what, scripted.Always, scripted.Status(status))
				err := step.run(w)
				failed(t, err, http.StatusText(status))
				w.slept(nil)
				if got := w.registry.Sequence(); got[len(got)-1] != step.what || len(got) > 2 {
					t.Errorf("requests: %v", got)
				}
			})
		}
	}
}

// Who may push to a repository may not be allowed to read another: the blob is sent.
func TestRefusedMount(t *testing.T) {
	for _, certain := range []bool{true, false} {
		for _, status := range []int{401, 403, 404} {
			t.Run(fmt.Sprintf("%d, certain %v", status, certain), func(t *testing.T) {
				w := newWorld(t, scripted.Traits{Mounts: true})
				b := fileOf(t, random(big))
				w.registry.AddBlob(other, random(big))
				w.registry.Script("POST mount", 1, scripted.Status(status))
				w.ensure(b, Origin{other, certain}, true)
				w.has(repo, b)
				w.slept(nil)
				w.received(big)
			})
		}
	}
}

// An upload that the registry has another idea of is asked for, and gone on with.
func TestRangeNotSatisfiable(t *testing.T) {
	w := newWorld(t, scripted.Traits{Keeps: true})
	w.registry.Script("PUT upload", 1, scripted.Reset(big/2))
	w.registry.Script("PUT upload", 1, scripted.Status(416))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.did(0, append(goneOn[:4:4], "GET upload", "PUT upload")...)
	w.received(big + big/2)

	w = newWorld(t, scripted.Traits{Keeps: true})
	w.registry.Script("PUT upload", scripted.Always, scripted.Status(416))
	_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
	failed(t, err, "Range Not Satisfiable")
	w.slept(pauses(5))
	w.hasNot(repo, b)
}

// An upload that the registry forgot is begun anew, but not for ever.
func TestUploadForgotten(t *testing.T) {
	w := newWorld(t, scripted.Traits{})
	w.registry.Script("PUT upload", 1, scripted.Refuse(404, "BLOB_UPLOAD_UNKNOWN"))
	w.registry.Script("GET upload", 1, scripted.Refuse(404, "BLOB_UPLOAD_UNKNOWN"))
	b := fileOf(t, random(big))
	w.ensure(b, Origin{}, true)
	w.has(repo, b)
	w.did(0, startOver...)

	w = newWorld(t, scripted.Traits{})
	w.registry.Script("PUT upload", scripted.Always, scripted.Refuse(404, "BLOB_UPLOAD_UNKNOWN"))
	_, err := w.client.Ensure(t.Context(), repo, b, Origin{}, true)
	failed(t, err, "BLOB_UPLOAD_UNKNOWN")
	w.slept(pauses(5))
}

// A registry may not know the way to send a blob in one POST: it gets it in two
// requests, and is not tried again.
func TestOnePostRefused(t *testing.T) {
	for _, status := range []int{400, 405, 411, 415, 417, 501} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t, scripted.Traits{})
			w.registry.Script("POST upload+blob", scripted.Always, scripted.Status(status))
			for i, want := range [][]string{{"POST upload+blob", "POST upload", "PUT upload"}, {"POST upload", "PUT upload"}} {
				b := blobOf(t, random(small+i))
				before := len(w.registry.Log())
				w.ensure(b, Origin{}, true)
				w.has(repo, b)
				w.did(before, want...)
			}
			w.slept(nil)
		})
	}
	// An expectation is one more thing that a proxy in front of a registry may not know.
	w := newWorld(t, scripted.Traits{OnePost: true, Mounts: true})
	w.ensure(blobOf(t, random(small)), Origin{}, true)
	w.registry.Script("POST mount+blob", scripted.Always, scripted.Status(417))
	b := blobOf(t, random(usual))
	w.ensure(b, Origin{other, false}, false)
	w.has(repo, b)
	w.did(1, "POST mount+blob", "POST mount", "PUT upload")
}
