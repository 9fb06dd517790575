package registries_test

import (
	"strings"
	"testing"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	// talk is what a client may say to push an image besides its layers, in bytes:
	// handshakes, requests, configuration and manifest. A fiftieth of the layers comes
	// on top, for TLS.
	talk = 24 * kib
)

func TestMatrix(t *testing.T) {
	for _, k := range kinds() {
		for _, tr := range transports() {
			if tr.mutual && !k.mutual {
				continue
			}
			for _, format := range tr.formats {
				t.Run(k.name+"/"+tr.name+"/"+format, func(t *testing.T) {
					t.Parallel()
					everyday(t, newSite(t, tr.setUp).start(t, k), format, k)
				})
			}
		}
	}
}

// everyday is the days of a project: it pushes, pushes again, changes something.
func everyday(t *testing.T, s *site, format string, k kind) {
	l := func(seed byte) layer { return newLayer(t, seed, k.worthAsking) }
	bottom, top := l(1), l(2)
	img := newImage(t, format, bottom, top)
	app := item{image: img, repository: "team/app", tag: "v1"}

	t.Run("first push", func(t *testing.T) {
		_, sent := s.watch(func() { s.push(t, app).want(t, 0, "Successfully pushed "+format+" image to ") })
		within(t, sent, bottom, top)
		s.arrived(t, app)
	})
	t.Run("unchanged", func(t *testing.T) {
		requests, sent := s.watch(func() { s.push(t, app).want(t, 0, "Successfully pushed "+format+" image to ") })
		within(t, sent)
		if s.plain && (len(requests) == 0 || len(requests) > 3 || uploads(requests) > 0) {
			t.Errorf("requests: %q", requests)
		}
		s.tagged(t, app)
	})
	t.Run("new tag", func(t *testing.T) {
		again := item{image: img, repository: "team/app", tag: "v2"}
		_, sent := s.watch(func() { s.push(t, again).want(t, 0) })
		within(t, sent)
		s.tagged(t, app, again)
	})
	t.Run("second repository", func(t *testing.T) {
		other := item{image: img, repository: "other/app", tag: "v1", base: "team/app"}
		_, sent := s.watch(func() { s.push(t, other).want(t, 0) })
		if k.mounts {
			within(t, sent)
		}
		s.arrived(t, other)
	})
	t.Run("three images", func(t *testing.T) {
		one, two, a, b, c := l(11), l(12), l(13), l(14), l(15)
		items := []item{
			{image: newImage(t, format, one, two, a), repository: "three/a", tag: "v1"},
			{image: newImage(t, format, one, two, b), repository: "three/b", tag: "v1"},
			{image: newImage(t, format, one, c), repository: "three/c", tag: "v1"},
		}
		_, sent := s.watch(func() { s.push(t, items...).want(t, 0) })
		within(t, sent, one, two, a, b, c)
		s.tagged(t, items...)
	})
	t.Run("changed layer", func(t *testing.T) {
		patch := l(3)
		changed := item{image: newImage(t, format, bottom, patch), repository: "team/app", tag: "v1"}
		_, sent := s.watch(func() { s.push(t, changed).want(t, 0) })
		within(t, sent, patch)
		s.arrived(t, changed)
	})
	t.Run("skip_unchanged_digest", func(t *testing.T) {
		skipped := item{image: img, repository: "team/app", tag: "v2", skip: true}
		requests, sent := s.watch(func() { s.push(t, skipped).want(t, 0, "Skipping push of unchanged digest\n") })
		within(t, sent)
		if uploads(requests) > 0 {
			t.Errorf("requests: %q", requests)
		}
		moved := item{image: img, repository: "team/app", tag: "v3", skip: true}
		s.push(t, moved).want(t, 0, "Skipping push of unchanged digest\n", "now tagged")
		s.tagged(t, skipped, moved)
	})
}

// watch tells which requests are made meanwhile, and how many bytes are sent. Of
// TLS the requests cannot be seen.
func (s *site) watch(do func()) ([]string, int64) {
	requests, sent := len(s.wire.Requests()), s.wire.Sent()
	do()
	return s.wire.Requests()[requests:], s.wire.Sent() - sent
}

// within checks that what was sent is layers and the talk about them.
func within(t *testing.T, sent int64, layers ...layer) {
	t.Helper()
	var want int64
	for _, l := range layers {
		want += int64(len(l.blob))
	}
	limit := want + want/50 + talk
	if sent == 0 || sent < want || sent > limit {
		t.Errorf("%d bytes were sent, want %d to %d", sent, want, limit)
	}
}

// uploads counts the requests that change something.
func uploads(requests []string) int {
	n := 0
	for _, r := range requests {
		if !strings.HasPrefix(r, "GET ") && !strings.HasPrefix(r, "HEAD ") {
			n++
		}
	}
	return n
}
