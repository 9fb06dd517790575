package push

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// Preview is what a push of one job would do.
type Preview struct {
	Unchanged bool // the reference names the image already
	// Missing are the blobs that no repository of the run is known to have; each is
	// listed once, for the first job that needs it.
	Missing []v1.Descriptor
	Present int // blobs that the repository has, or another job of the run sends
	Err     error
}

// Preview finds out what Push would do, and changes nothing. Whether a blob can be
// mounted is only known when it is tried, so a base's layers count as missing.
func (p Planner) Preview(ctx context.Context, jobs []Job) []Preview {
	r := p.newRun()
	for _, job := range jobs {
		p.Client.Announce(job.Ref.Context(), false)
	}
	previews := make([]Preview, len(jobs))
	listed := map[string]bool{} // blobs of a registry
	for i, job := range jobs {  // in order, so that a shared blob is listed where it would be sent
		previews[i] = r.preview(ctx, job, listed)
	}
	return previews
}

func (r *run) preview(ctx context.Context, job Job, listed map[string]bool) Preview {
	var out Preview
	repo := job.Ref.Context()
	t, err := r.target(ctx, repo)
	if err != nil {
		return Preview{Err: r.planner.Client.Explain(repo, err)}
	}
	var result Result
	p := r.imagePush(t, job, &result)
	p.job.SkipUnchanged = false // which would set the tag
	if out.Unchanged, err = p.look(ctx); err != nil || out.Unchanged {
		out.Err = r.planner.Client.Explain(repo, err)
		return out
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, blob := range append([]Blob{job.Image.Config}, job.Image.Layers...) {
		if blob.Open == nil {
			continue
		}
		key := repo.RegistryStr() + "@" + blob.Descriptor.Digest.String()
		if listed[key] {
			out.Present++
			continue
		}
		listed[key] = true
		group.Go(func() error {
			found := false
			if !p.fresh && !t.blobs.knows(p.repository, blob.Descriptor.Digest) {
				var err error
				if found, err = t.client.HasBlob(ctx, p.repository, blob.Descriptor.Digest); err != nil {
					return err
				}
			} else {
				found = !p.fresh
			}
			mu.Lock()
			defer mu.Unlock()
			if found {
				out.Present++
			} else {
				out.Missing = append(out.Missing, blob.Descriptor)
			}
			return nil
		})
	}
	out.Err = r.planner.Client.Explain(repo, group.Wait())
	return out
}
