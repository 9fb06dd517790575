package push

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// Planner is the Engine that sees all jobs at once: a blob that several of them have
// is sent to a registry once and mounted by the others, and what a registry has
// already is not sent at all. How many requests are under way is the client's
// concern.
type Planner struct {
	Client *registry.Client
	// Sequential pushes one image after the other and ends at the first failure.
	Sequential bool
	// Retry is for the requests about repositories.
	Retry distribution.Retry
	// Stats counts what is done, and Progress what there is to do; they may be nil.
	Stats    *distribution.Stats
	Progress *Progress
}

// Progress tells, at any time, how much of a run is left to do.
type Progress struct{ planned, images atomic.Int64 }

// Plan adds to what is planned, in bytes; what turns out to be there already is taken
// off again.
func (p *Progress) Plan(bytes int64) { p.planned.Add(bytes) }

// Planned is the size in bytes of the blobs that were sent or, as far as is known by
// now, are going to be.
func (p *Progress) Planned() int64 { return p.planned.Load() }

// Images is the number of images that are done.
func (p *Progress) Images() int64 { return p.images.Load() }

// Push implements Engine.
func (p Planner) Push(ctx context.Context, jobs []Job, done func(i int, r Result)) []Result {
	r := p.newRun()
	for _, job := range jobs {
		p.Client.Announce(job.Ref.Context(), true)
		if from := sameRegistry(job); from != "" {
			p.Client.Announce(job.Base, false)
		}
	}

	results := make([]Result, len(jobs))
	var mu sync.Mutex
	report := func(i int, result Result) {
		mu.Lock()
		defer mu.Unlock()
		results[i] = result
		r.planner.Progress.images.Add(1)
		if done != nil {
			done(i, result)
		}
	}
	if p.Sequential {
		for i, job := range jobs {
			result := Result{Err: ErrNotRun}
			if i == 0 || results[i-1].Err == nil {
				result = r.push(ctx, job)
			}
			report(i, result)
		}
		return results
	}
	var group errgroup.Group
	group.SetLimit(maxImages)
	for i, job := range jobs {
		group.Go(func() error {
			report(i, r.push(ctx, job))
			return nil
		})
	}
	_ = group.Wait() // no job returns an error here
	return results
}

func (p Planner) newRun() *run {
	if p.Stats == nil {
		p.Stats = &distribution.Stats{}
	}
	if p.Progress == nil {
		p.Progress = &Progress{}
	}
	return &run{planner: p, registries: map[string]*target{}}
}

// maxImages bounds the images that are looked at together. It is far above what is
// ever under way at a time, so that there is always something to do.
const maxImages = 256

// sameRegistry is the path of the job's base repository if it is on the registry
// that the job goes to, and else "".
func sameRegistry(job Job) string {
	if job.Base.RepositoryStr() == "" || job.Base.RegistryStr() != job.Ref.Context().RegistryStr() {
		return ""
	}
	return job.Base.RepositoryStr()
}

// run is one call of Planner.Push.
type run struct {
	planner Planner

	mu         sync.Mutex
	registries map[string]*target
}

// target is one registry that a run pushes to.
type target struct {
	once   sync.Once
	client *distribution.Client
	blobs  *blobs
	tagged guess // that images are there under other tags
	err    error
}

func (r *run) target(ctx context.Context, repo name.Repository) (*target, error) {
	host := repo.RegistryStr()
	r.mu.Lock()
	t, ok := r.registries[host]
	if !ok {
		t = &target{}
		r.registries[host] = t
	}
	r.mu.Unlock()
	t.once.Do(func() {
		base, err := r.planner.Client.BaseURL(ctx, host)
		if err != nil {
			t.err = err
			return
		}
		t.client = distribution.New(base, func(ctx context.Context, path string) (http.RoundTripper, error) {
			return r.planner.Client.Transport(ctx, repo.Registry.Repo(path))
		}, r.planner.Retry, r.planner.Stats)
		t.blobs = newBlobs(t.client, r.planner.Progress)
	})
	return t, t.err
}

func (r *run) push(ctx context.Context, job Job) Result {
	var result Result
	repo := job.Ref.Context()
	want := job.Image.Digest.String()
	if d, ok := job.Ref.(name.Digest); ok && d.DigestStr() != want {
		result.Err = fmt.Errorf("%w: %s, not %s", ErrWrongDigest, want, d.DigestStr())
		return result
	}
	t, err := r.target(ctx, repo)
	if err == nil {
		err = r.imagePush(t, job, &result).push(ctx)
	}
	result.Err = r.planner.Client.Explain(repo, err)
	return result
}

func (r *run) imagePush(t *target, job Job, result *Result) *imagePush {
	repo := job.Ref.Context()
	return &imagePush{
		target:     t,
		job:        job,
		repository: repo.RepositoryStr(),
		base:       sameRegistry(job),
		headOnly:   repo.RegistryStr() == name.DefaultRegistry,
		explain:    func(err error) error { return r.planner.Client.Explain(repo, err) },
		result:     result,
	}
}
