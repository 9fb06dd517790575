package loader

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestSendsWhatIsMissing(t *testing.T) {
	const (
		driver     = `[["Backing Filesystem","extfs"]]`
		containerd = `[["driver-type","io.containerd.snapshotter.v1"]]`
	)
	for _, c := range []struct {
		name, status string
		has          []int // of the two layers, those that are an image of docker's each
		stacked      bool  // or docker has an image of both
		least        int   // docker refuses an archive of less layers
		want         []int // the layers sent, call by call
		says         string
	}{
		{"no images", driver, nil, false, 0, []int{2}, ""},
		{"the lower layer", driver, []int{0}, false, 0, []int{1}, "docker has 1 of 2 layers; sending 1\n"},
		{"all layers of another image", "null", nil, true, 0, []int{0}, "docker has 2 of 2 layers; sending 0\n"},
		{"the upper layer, but on something else", driver, []int{1}, false, 0, []int{2}, ""},
		{"both layers, in images of their own", driver, []int{0, 1}, false, 0, []int{1}, "docker has 1 of 2 layers; sending 1\n"},
		{"a docker that refuses it", driver, []int{0}, false, 2, []int{1, 2}, "docker has 1 of 2 layers; sending 1\n"},
		{"containerd's store", containerd, []int{0}, false, 2, []int{2}, ""},
		{"podman", "", []int{0}, false, 2, []int{2}, ""},
		{"something else", "<no value>", []int{0}, false, 2, []int{2}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "a:b")
			var images []string
			for _, n := range c.has {
				images = append(images, fmt.Sprintf("[%q]", w.diffIDs[n]))
			}
			if c.stacked {
				images = []string{fmt.Sprintf("[%q,%q]", w.diffIDs[0], w.diffIDs[1])}
			}
			w.fake["FAKE_STATUS"], w.fake["FAKE_LAYERS"] = c.status, strings.Join(images, " ")
			w.fake["FAKE_LEAST"] = fmt.Sprint(c.least)
			if err := Run(t.Context(), w.Params); err != nil {
				t.Fatal(err)
			}
			if got := sent(t, w); !slices.Equal(got, c.want) {
				t.Errorf("layers sent: %v, want %v", got, c.want)
			}
			if w.stderr.String() != c.says {
				t.Errorf("stderr %q, want %q", w.stderr.String(), c.says)
			}
		})
	}
}

// A tool that fails twice says the second time why.
func TestMissingLayersFail(t *testing.T) {
	w := newWorld(t, "a:b")
	w.fake["FAKE_STATUS"], w.fake["FAKE_LAYERS"], w.fake["FAKE_LEAST"] = "null", fmt.Sprintf("[%q]", w.diffIDs[0]), "3"
	err := Run(t.Context(), w.Params)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "//p:x: docker load failed") {
		t.Errorf("err = %v, want a failed docker load", err)
	}
	if got, want := w.stderr.String(), "docker has 1 of 2 layers; sending 1\nno such file or directory\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

// More images than one call asks about.
func TestManyImages(t *testing.T) {
	w := newWorld(t, "a:b")
	images := make([]string, 2*asked+1)
	for n := range images {
		images[n] = "null"
	}
	images[2*asked] = fmt.Sprintf("[%q]", w.diffIDs[0])
	w.fake["FAKE_STATUS"], w.fake["FAKE_LAYERS"] = "null", strings.Join(images, " ")
	if err := Run(t.Context(), w.Params); err != nil {
		t.Fatal(err)
	}
	if got := sent(t, w); !slices.Equal(got, []int{1}) {
		t.Errorf("layers sent: %v, want one", got)
	}
}

// sent is how many layers there were in each archive that was sent whole, be it refused.
func sent(t *testing.T, w *world) []int {
	t.Helper()
	var all []int
	for _, call := range w.calls(t) {
		var what string
		var n int
		if _, err := fmt.Sscanf(call, "%s %d layers", &what, &n); err == nil {
			all = append(all, n)
		}
	}
	return all
}
