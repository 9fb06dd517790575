package pusher

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// tick is how often a progress bar is drawn anew.
const tick = 100 * time.Millisecond

// isTerminal tells whether somebody may be watching w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// screen is a terminal with a progress bar below the lines that are written to it.
type screen struct {
	out    io.Writer
	images int
	state  *push.Progress
	meter  *distribution.Meter

	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	done chan struct{}
	gone chan struct{}
}

// newScreen draws the progress of a run until stop is called.
func newScreen(out io.Writer, images int, state *push.Progress, meter *distribution.Meter) *screen {
	s := &screen{
		out:    out,
		images: images,
		state:  state,
		meter:  meter,
		bar: progressbar.NewOptions64(1,
			progressbar.OptionSetWriter(out),
			progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(tick/2),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
		),
		done: make(chan struct{}),
		gone: make(chan struct{}),
	}
	go s.draw()
	return s
}

func (s *screen) draw() {
	defer close(s.gone)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
			s.mu.Lock()
			s.update()
			s.mu.Unlock()
		}
	}
}

// update shows how much of what is to be sent has left. Protocol overhead and what
// is sent twice may make that more than was planned, and the end is not reached
// before the last answer.
func (s *screen) update() {
	planned, sent := s.state.Planned(), s.meter.Sent()
	if planned == 0 {
		return
	}
	s.bar.Describe(fmt.Sprintf("%d of %d images", s.state.Images(), s.images))
	s.bar.ChangeMax64(planned + 1)
	_ = s.bar.Set64(min(sent, planned))
}

// Write writes lines above the bar.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.bar.Clear()
	return s.out.Write(p)
}

// stop takes the bar away.
func (s *screen) stop() {
	close(s.done)
	<-s.gone
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.bar.Clear()
}
