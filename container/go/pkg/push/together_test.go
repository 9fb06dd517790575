package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Two images that share a layer go to one repository. One of them cannot be read: that
// is no reason for the other to fail, whoever of them was sending the layer.
func TestFailureOfAnother(t *testing.T) {
	s := newScene(t, dockerLike)
	lost, good := s.image("shared", "lost"), s.image("shared", "own")
	if err := os.Remove(lost.Layers[1].Path); err != nil {
		t.Fatal(err)
	}
	shared := lost.Layers[0].Descriptor.Digest.String()
	failed := make(chan struct{})
	s.registry.Script("PUT upload", scripted.Always, func(r *scripted.Registry, w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Get("digest") == shared {
			<-failed
		}
		r.ServeHTTP(w, req)
	})
	planner := Planner{
		Client: registry.New(registry.Options{Rules: []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})}}),
		Retry:  distribution.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	}
	results := planner.Push(context.Background(), []Job{s.job(lost, "team/app:lost"), s.job(good, "team/app:good")}, func(i int, r Result) {
		if i == 0 {
			close(failed)
		}
	})
	if results[0].Err == nil || !strings.Contains(results[0].Err.Error(), filepath.Base(lost.Layers[1].Path)) {
		t.Errorf("the image without its layer: %v", results[0].Err)
	}
	if results[1].Err != nil {
		t.Errorf("the image that is whole: %v", results[1].Err)
	}
	if s.registry.Manifest("team/app", "lost") != nil || s.registry.Manifest("team/app", "good") == nil {
		t.Error("the wrong image is there")
	}
}

// opened counts the files that are open.
type opened struct{ now, most atomic.Int64 }

func (o *opened) open(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		n := o.now.Add(1)
		for most := o.most.Load(); n > most && !o.most.CompareAndSwap(most, n); most = o.most.Load() {
		}
		return &openFile{strings.NewReader(text), o}, nil
	}
}

type openFile struct {
	io.Reader
	of *opened
}

func (f *openFile) Close() error {
	f.of.now.Add(-1)
	return nil
}

// However many images there are, a file is open only while it is being sent.
func TestOpenFiles(t *testing.T) {
	const images, inFlight = 60, 3
	s := newScene(t, dockerLike)
	var files opened
	var jobs []Job
	for i := range images {
		config, layer := fmt.Sprintf(`{"author":"%d"}`, i), fmt.Sprint("layer ", i)
		image, err := newImage(Docker, Blob{Descriptor: descriptor(t, config), Open: files.open(config)},
			[]Blob{{Descriptor: descriptor(t, layer), Open: files.open(layer)}})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, s.job(image, fmt.Sprintf("team/app%d:v1", i)))
	}
	planner := Planner{Client: registry.New(registry.Options{
		Rules:    []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})},
		InFlight: inFlight,
	})}
	for i, r := range planner.Push(context.Background(), jobs, nil) {
		if r.Err != nil {
			t.Fatalf("%s: %v", jobs[i].Ref, r.Err)
		}
		if tag := jobs[i].Ref.(name.Tag); s.registry.Manifest(tag.RepositoryStr(), tag.TagStr()) == nil {
			t.Errorf("%s is not there", tag)
		}
	}
	if most := files.most.Load(); most == 0 || most > inFlight {
		t.Errorf("%d files were open at a time, with %d requests", most, inFlight)
	}
	if left := files.now.Load(); left != 0 {
		t.Errorf("%d files were left open", left)
	}
}

func descriptor(t *testing.T, text string) v1.Descriptor {
	t.Helper()
	return v1.Descriptor{MediaType: types.DockerLayer, Digest: sum(t, []byte(text)), Size: int64(len(text))}
}

// A file that was changed since its digest was taken is named, and no riddle.
func TestChangedFile(t *testing.T) {
	s := newScene(t, dockerLike)
	image := s.image("a", "b")
	changed := image.Layers[1].Path
	save(t, changed, content("c"))
	planner := Planner{Client: registry.New(registry.Options{Rules: []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})}})}
	err := planner.Push(t.Context(), []Job{s.job(image, "team/app:v1")}, nil)[0].Err
	if !errors.Is(err, ErrStale) || !strings.Contains(err.Error(), changed) || !strings.Contains(err.Error(), sum(t, content("c")).String()) {
		t.Errorf("got %v", err)
	}
	if s.registry.Manifest("team/app", "v1") != nil {
		t.Error("the image is there")
	}
}

// Who waited for a blob that a registry would not have in spite of all patience does not
// begin from the beginning.
func TestPatienceIsShared(t *testing.T) {
	b := newBlobs(nil, &Progress{}) // nil: there is nothing to ask
	digest := sum(t, []byte("a"))
	failed := &turn{over: make(chan struct{}), err: &transport.Error{StatusCode: http.StatusServiceUnavailable}}
	close(failed.over)
	b.holding(digest).turns["team/first"] = failed
	if _, err := b.ensure(t.Context(), "team/second", distribution.Blob{Digest: digest}, "", false); err != failed.err {
		t.Errorf("got %v", err)
	}
}
