package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func start(t *testing.T, handler http.HandlerFunc, opts Options) *Proxy {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p, err := Start(strings.TrimPrefix(server.URL, "http://"), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func patch(p *Proxy, body string) error {
	req, err := http.NewRequest(http.MethodPatch, "http://"+p.Addr()+"/v2/a/blobs/uploads/1", strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestCounts(t *testing.T) {
	p := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Host == "" || strings.HasPrefix(r.Host, "127.0.0.1") {
			t.Errorf("the registry is asked for %q", r.Host)
		}
		w.WriteHeader(http.StatusAccepted)
	}, Options{})
	if err := patch(p, "12345"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + p.Addr() + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	got := p.Counts()
	if got.Requests != 2 || got.Uploads != 1 || got.Bytes != 5 || got.InFlight != 1 {
		t.Errorf("counted %+v", got)
	}
	if len(got.Log) != 2 || !strings.HasSuffix(got.Log[0].String(), ": PATCH /v2/a/blobs/uploads/1 202, 5 bytes") {
		t.Errorf("log %v", got.Log)
	}
	p.Reset()
	if got := p.Counts(); got.Requests != 0 || got.Bytes != 0 || len(got.Log) != 0 {
		t.Errorf("after Reset %+v", got)
	}
}

func TestInFlight(t *testing.T) {
	var together sync.WaitGroup
	together.Add(3)
	p := start(t, func(http.ResponseWriter, *http.Request) {
		together.Done()
		together.Wait()
	}, Options{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := patch(p, "x"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := p.Counts().InFlight; got != 3 {
		t.Errorf("%d at a time, want 3", got)
	}
}

func TestCut(t *testing.T) {
	outcomes := make(chan error, 2)
	p := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		outcomes <- err
	}, Options{CutAt: 900 << 10})
	body := strings.Repeat("x", 1<<20)
	if err := patch(p, body); err == nil {
		t.Error("the connection was not cut")
	}
	if err := <-outcomes; err == nil {
		t.Error("the registry did not see the cut")
	}
	if err := patch(p, body); err != nil {
		t.Errorf("cut twice: %v", err)
	}
	if err := <-outcomes; err != nil {
		t.Errorf("the registry saw a second cut: %v", err)
	}
	if got := p.Counts(); got.Requests != 2 || got.Bytes < 1900<<10 || got.Bytes >= 2<<20 {
		t.Errorf("counted %+v", got)
	}
}
