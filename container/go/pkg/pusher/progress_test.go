package pusher

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// paper is a terminal that keeps what is written.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestScreen(t *testing.T) {
	var (
		out   paper
		state push.Progress
		meter distribution.Meter
	)
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		buf := make([]byte, 1000)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
		}
	}()
	conn, err := meter.Wrap(func(context.Context, string, string) (net.Conn, error) { return near, nil })(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	state.Plan(4000)
	if _, err := conn.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	s := newScreen(&out, 3, &state, &meter)
	for !strings.Contains(out.String(), "0 of 3 images") || !strings.Contains(out.String(), "24%") {
		time.Sleep(time.Millisecond) // the test's own time limit ends this
	}
	fmt.Fprintln(s, "a line of its own")
	s.stop()
	said := out.String()
	if !strings.Contains(said, "\ra line of its own\n") {
		t.Errorf("the line is not alone: %q", said)
	}
	if last := said[strings.LastIndexByte(said, '\r')+1:]; strings.TrimSpace(last) != "" {
		t.Errorf("the bar is left behind: %q", last)
	}
}

func TestNoBarWithoutATerminal(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	if _, out := tg.run(t); strings.Contains(out, "\r") || strings.Contains(out, "%") {
		t.Errorf("got %q", out)
	}
}
