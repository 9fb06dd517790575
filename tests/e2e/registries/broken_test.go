package registries_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// big is the size of the layer that uploads break in, in bytes.
const big = 20 * mib

// TestCut breaks connections in mid-upload: what the registry has is not sent again.
func TestCut(t *testing.T) {
	large := newLayer(t, 1, big)
	size := int64(len(large.blob))
	for _, k := range kinds() {
		for _, tc := range []struct {
			name string
			at   []int64 // offsets among all bytes that are sent
			// limit of what is sent to a registry that keeps nothing, as a multiple of size
			limit float64
		}{
			{"at 10 %", []int64{size / 10}, 1.15},
			{"at 90 %", []int64{size / 10 * 9}, 1.95},
			{"three times", []int64{size / 4, size / 2, size / 4 * 3}, 1.8},
		} {
			t.Run(k.name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, plainHTTP).start(t, k)
				for _, at := range tc.at {
					s.wire.At(at, func() error { return registries.ErrCut })
				}
				it := item{image: newImage(t, "OCI", large, newLayer(t, 2, 64*kib)), repository: "cut", tag: "v1"}
				requests, sent := s.watch(func() { s.push(t, it).want(t, 0, "Successfully pushed OCI image to ") })
				s.arrived(t, it)
				limit := tc.limit
				if k.keeps {
					limit = 1.05
				}
				if float64(sent) > limit*float64(size) {
					t.Errorf("%d bytes were sent, of %d that there are: %q", sent, size, requests)
				}
			})
		}
	}
}

// TestInterrupted ends the pusher by Ctrl-C in mid-upload.
func TestInterrupted(t *testing.T) {
	large := newLayer(t, 1, big)
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, plainHTTP).start(t, k)
			it := item{image: newImage(t, "Docker", large), repository: "interrupted", tag: "v1"}
			cmd := s.target(t, it)
			ended := make(chan struct{})
			s.wire.At(int64(len(large.blob))/2, func() error {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					t.Error(err)
				}
				<-ended // the network stands still, and the pusher ends all the same
				return registries.ErrCut
			})
			r := finish(t, cmd)
			close(ended)
			r.want(t, 130, "interrupted\n")
			if strings.Contains(r.output, "Successfully") || strings.Contains(r.output, "ERROR") {
				t.Errorf("it says:\n%s", r.output)
			}
			s.absent(t, it)

			s.push(t, it).want(t, 0)
			s.arrived(t, it)
		})
	}
}

// TestRestart restarts the registry in mid-upload, and lets it be away for a while.
func TestRestart(t *testing.T) {
	large := newLayer(t, 1, big)
	for _, k := range kinds() {
		if !k.own {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, plainHTTP).start(t, k)
			restarted := make(chan struct{})
			s.wire.At(int64(len(large.blob))/2, func() error {
				defer close(restarted)
				s.restart(t, k)
				return registries.ErrCut
			})
			it := item{image: newImage(t, "OCI", large), repository: "restarted", tag: "v1"}
			r := s.push(t, it)
			<-restarted
			r.want(t, 0, "Successfully pushed OCI image to ")
			s.arrived(t, it)
		})
	}
}

// restart kills the registry and starts it again where it was. Meanwhile nobody
// listens for a second.
func (s *site) restart(t *testing.T, k kind) {
	if err := s.server.(interface{ Kill() error }).Kill(); err != nil {
		t.Error(err)
	}
	if err := s.wire.Down(time.Second); err != nil {
		t.Error(err)
	}
	again, err := k.start(s.data, append(s.opts, registries.At(s.server.Addr()))...)
	if err != nil {
		t.Error(err)
		return
	}
	s.server = again
}
