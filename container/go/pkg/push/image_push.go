package push

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
)

// imagePush is one image on its way to one repository.
type imagePush struct {
	*target
	job        Job
	repository string
	base       string // a repository of the same registry that may have the base's layers, or ""
	headOnly   bool   // the registry counts a GET of a manifest as a pull
	explain    func(error) error
	result     *Result

	fresh bool // the repository holds nothing yet
}

// push asks what is there, sends what is missing, and puts the manifest last, so
// that a tag never names an image that is not complete.
func (p *imagePush) push(ctx context.Context) error {
	if done, err := p.look(ctx); done || err != nil {
		return err
	}
	send := p.send
	if !p.fresh && !p.job.SkipUnchanged && p.tagged.ask(func() bool { return p.there(ctx) }) {
		send = p.put
	}
	err := send(ctx)
	if distribution.IsBlobUnknown(err) {
		// Something that was believed to be there is not: ask for each blob.
		p.blobs.forget(p.repository, p.digests())
		err = p.send(ctx)
	}
	return err
}

// look asks for the manifest and reports whether there is nothing left to do.
func (p *imagePush) look(ctx context.Context) (done bool, err error) {
	if p.job.SkipUnchanged {
		return p.lookByDigest(ctx)
	}
	m, absence, err := p.client.Manifest(ctx, p.repository, p.job.Ref.Identifier(), p.headOnly)
	switch {
	case distribution.IsDenied(err):
		return false, nil // who may not read may still be allowed to write
	case err != nil:
		return false, err
	case m == nil:
		p.fresh = absence == distribution.NoRepository
		return false, nil
	case m.Digest == p.job.Image.Digest:
		p.result.Unchanged = true
		return true, nil
	}
	// What the image that is there consists of is there as well.
	for _, digest := range parts(m) {
		p.blobs.has(p.repository, digest)
	}
	return false, nil
}

// lookByDigest is look for a job with SkipUnchanged.
func (p *imagePush) lookByDigest(ctx context.Context) (done bool, err error) {
	m, absence, err := p.client.Manifest(ctx, p.repository, p.job.Image.Digest.String(), true)
	switch {
	case err != nil && ctx.Err() != nil:
		return false, err
	case err != nil:
		p.warn("Error checking if digest already exists %v. Still pushing", p.explain(err))
		return false, nil
	case m == nil:
		p.fresh = absence == distribution.NoRepository
		return false, nil
	}
	p.result.Skipped = true
	tag, ok := p.job.Ref.(name.Tag)
	if !ok {
		return true, nil
	}
	if m, _, err := p.client.Manifest(ctx, p.repository, tag.TagStr(), true); err == nil && m != nil && m.Digest == p.job.Image.Digest {
		return true, nil
	}
	p.result.Tagged = true
	return true, p.put(ctx)
}

// send makes sure of the blobs, and puts the manifest. Where the repository may hold
// something the configuration goes first: if it is there the whole image may be,
// under another tag.
func (p *imagePush) send(ctx context.Context) error {
	config := p.job.Image.Config
	if p.fresh {
		if err := p.ensureAll(ctx, append([]Blob{config}, p.job.Image.Layers...)); err != nil {
			return err
		}
		return p.put(ctx)
	}
	there, err := p.ensure(ctx, config, "")
	if err != nil {
		return err
	}
	if there && p.there(ctx) {
		return p.put(ctx)
	}
	if err := p.ensureAll(ctx, p.job.Image.Layers); err != nil {
		return err
	}
	return p.put(ctx)
}

// there tells whether the repository has the image, under whatever tag.
func (p *imagePush) there(ctx context.Context) bool {
	m, _, err := p.client.Manifest(ctx, p.repository, p.job.Image.Digest.String(), true)
	return err == nil && m != nil && m.Digest == p.job.Image.Digest
}

// ensureAll makes sure of all blobs at once.
func (p *imagePush) ensureAll(ctx context.Context, blobs []Blob) error {
	group, ctx := errgroup.WithContext(ctx)
	bottom := len(blobs) - len(p.job.Image.Layers)
	for i, blob := range blobs {
		from := ""
		if i >= bottom && i-bottom < p.job.BaseLayers {
			from = p.base
		}
		group.Go(func() error {
			_, err := p.ensure(ctx, blob, from)
			return err
		})
	}
	return group.Wait()
}

func (p *imagePush) ensure(ctx context.Context, blob Blob, from string) (there bool, err error) {
	if blob.Open == nil {
		return true, nil // a foreign layer is had from where its URLs say
	}
	there, err = p.blobs.ensure(ctx, p.repository, blob.content(), from, p.fresh)
	if distribution.IsBadRequest(err) {
		err = cmp.Or(blob.verify(), err)
	}
	return there, err
}

// put puts the manifest under the job's reference.
func (p *imagePush) put(ctx context.Context) error {
	image := p.job.Image
	err := p.client.PutManifest(ctx, p.repository, p.job.Ref.Identifier(), distribution.Manifest{
		Digest:    image.Digest,
		MediaType: image.MediaType,
		Data:      image.Manifest,
	})
	if errors.Is(err, distribution.ErrUnread) {
		p.warn("%s was pushed, and could not be read back: %v", p.job.Ref, p.explain(err))
		return nil
	}
	return err
}

func (p *imagePush) warn(format string, args ...any) {
	p.result.Warnings = append(p.result.Warnings, fmt.Sprintf(format, args...))
}

// digests of all blobs of the image.
func (p *imagePush) digests() []v1.Hash {
	all := []v1.Hash{p.job.Image.Config.Descriptor.Digest}
	for _, layer := range p.job.Image.Layers {
		all = append(all, layer.Descriptor.Digest)
	}
	return all
}

// parts are the blobs that an image's manifest names. Of anything else there are
// none.
func parts(m *distribution.Manifest) []v1.Hash {
	if m.Data == nil || m.MediaType != types.DockerManifestSchema2 && m.MediaType != types.OCIManifestSchema1 {
		return nil
	}
	parsed, err := v1.ParseManifest(bytes.NewReader(m.Data))
	if err != nil {
		return nil
	}
	digests := []v1.Hash{parsed.Config.Digest}
	for _, layer := range parsed.Layers {
		if !foreign(layer) {
			digests = append(digests, layer.Digest)
		}
	}
	return digests
}
