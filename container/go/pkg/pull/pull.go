// Package pull takes an image from a registry into a directory: its manifest, its
// configuration and all its layers, each verified (OCI distribution-spec, "Pull").
package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imagedir"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// What can be wrong with what a registry gives out.
var (
	// ErrAbsent: there is no such image.
	ErrAbsent = errors.New("the registry does not have it")
	// ErrMismatch: something else is there under a digest. The words are those that
	// rules_docker failed with.
	ErrMismatch = errors.New("SHA256 of the image specified does not match SHA256 of the pulled image")
)

// maxDepth bounds how many indexes lead to an image.
const maxDepth = 4

// Puller pulls images.
type Puller struct {
	Client *registry.Client
	Retry  distribution.Retry
	// Cache may be nil.
	Cache *Cache
	// Silence is how long a server may send nothing; 0 means 10 minutes.
	Silence time.Duration
	// Jobs is how many blobs are got at a time; 0 means 8. The client's InFlight must
	// not be less, or waiting for a turn counts as silence.
	Jobs int
	// Stats counts what is done; it may be nil.
	Stats *distribution.Stats
	// Got counts the bytes of blobs that have been downloaded, Total those of all
	// that have to be; both may be read at any time.
	Got, Total *atomic.Int64
}

// Result is what was pulled.
type Result struct {
	// Named is the digest of what the reference names: the image or an index.
	Named v1.Hash
	// Digest of the image's manifest.
	Digest v1.Hash
}

// Pull puts the image that ref names, or names the index of, into dir, as package
// imagedir says. When it fails it leaves nothing there.
//
// Errors: those of the registry, which Client.Explain makes readable; ErrAbsent;
// ErrMismatch; ErrManifest; ErrPlatform; distribution.ErrContent.
func (p Puller) Pull(ctx context.Context, ref name.Reference, platform Platform, dir string) (Result, error) {
	p = p.withDefaults()
	repo := ref.Context()
	p.Client.Announce(repo, false)
	base, err := p.Client.BaseURL(ctx, repo.RegistryStr())
	if err != nil {
		return Result{}, err
	}
	source := distribution.New(base, func(ctx context.Context, _ string) (http.RoundTripper, error) {
		return p.transport(ctx, repo)
	}, p.Retry, p.Stats)
	i := &imagePull{Puller: p, source: source, repository: repo.RepositoryStr()}
	result, manifest, doc, err := i.resolve(ctx, ref.Identifier(), platform)
	if err != nil {
		return Result{}, err
	}
	return result, i.write(ctx, manifest, doc, dir)
}

func (p Puller) withDefaults() Puller {
	if p.Silence <= 0 {
		p.Silence = 10 * time.Minute
	}
	if p.Jobs <= 0 {
		p.Jobs = 8
	}
	if p.Stats == nil {
		p.Stats = &distribution.Stats{}
	}
	if p.Got == nil || p.Total == nil {
		p.Got, p.Total = &atomic.Int64{}, &atomic.Int64{}
	}
	return p
}

func (p Puller) transport(ctx context.Context, repo name.Repository) (http.RoundTripper, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Silence)
	defer cancel()
	rt, err := p.Client.Transport(ctx, repo)
	if err != nil {
		return nil, err
	}
	return distribution.Impatient{Transport: rt, Silence: p.Silence}, nil
}

// imagePull is one image on its way.
type imagePull struct {
	Puller
	source     *distribution.Client
	repository string
}

// resolve finds the manifest of the image, through indexes.
func (i *imagePull) resolve(ctx context.Context, reference string, platform Platform) (Result, *distribution.Manifest, document, error) {
	var result Result
	for range maxDepth {
		m, err := i.manifest(ctx, reference)
		if err != nil {
			return result, nil, document{}, err
		}
		doc, err := parse(m)
		if err != nil {
			return result, nil, document{}, err
		}
		if result.Named == (v1.Hash{}) {
			result.Named = m.Digest
		}
		if !doc.index() {
			result.Digest = m.Digest
			return result, m, doc, nil
		}
		entry, err := platform.pick(doc.Manifests)
		if err != nil {
			return result, nil, document{}, err
		}
		reference = entry.Digest.String()
	}
	return result, nil, document{}, fmt.Errorf("%w: more than %d indexes lead to it", ErrManifest, maxDepth)
}

// manifest gets a manifest by tag, or by digest and then makes sure of it.
func (i *imagePull) manifest(ctx context.Context, reference string) (*distribution.Manifest, error) {
	m, absence, err := i.source.Manifest(ctx, i.repository, reference, false)
	switch {
	case err != nil:
		return nil, err
	case m == nil && absence == distribution.NoRepository:
		return nil, fmt.Errorf("%w: there is no repository %s", ErrAbsent, i.repository)
	case m == nil:
		return nil, fmt.Errorf("%w: there is no %s in repository %s", ErrAbsent, reference, i.repository)
	}
	if want, err := v1.NewHash(reference); err == nil && want != m.Digest {
		return nil, fmt.Errorf("%w. Expected %s, but pulled image with %s. "+
			"The registry, or something between here and it, gives out something else under that digest", ErrMismatch, want, m.Digest)
	}
	return m, nil
}

// write gets the blobs and puts everything in its place.
func (i *imagePull) write(ctx context.Context, m *distribution.Manifest, doc document, dir string) error {
	staging, err := imagedir.New(dir)
	if err != nil {
		return err
	}
	defer staging.Discard()
	if err := i.config(ctx, doc, staging.Path(imagedir.Config)); err != nil {
		return err
	}
	paths := map[v1.Hash][]string{} // an image may have a layer twice
	var layers []v1.Descriptor
	for n, layer := range doc.Layers {
		if paths[layer.Digest] == nil {
			layers = append(layers, layer)
		}
		paths[layer.Digest] = append(paths[layer.Digest], staging.Path(imagedir.LayerName(n, layer.MediaType)))
	}
	for _, layer := range layers {
		i.Total.Add(layer.Size)
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(i.Jobs)
	for _, layer := range layers {
		group.Go(func() error {
			all := paths[layer.Digest]
			if err := i.blob(gctx, layer, all[0]); err != nil {
				return err
			}
			for _, again := range all[1:] {
				if err := imagedir.Link(all[0], again); err != nil {
					return fmt.Errorf("writing the image: %w", err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return staging.Finish(m.Data, doc.Layers)
}

// config gets the configuration first: it tells whether the layers are worth it.
func (i *imagePull) config(ctx context.Context, doc document, path string) error {
	if err := i.blob(ctx, *doc.Config, path); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return checkConfig(data, doc)
}

// blob puts a blob at path, from the cache or the registry.
func (i *imagePull) blob(ctx context.Context, d v1.Descriptor, path string) error {
	if i.Cache != nil {
		unlock, err := i.Cache.Lock(ctx, d.Digest)
		if err != nil {
			return err
		}
		defer unlock()
		if i.Cache.Get(d, path) {
			i.Got.Add(d.Size)
			return nil
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, imagedir.FileMode)
	if err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	err = i.source.GetBlob(ctx, i.repository, d, f, func(n int64) { i.Got.Add(n) })
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if i.Cache != nil {
		i.Cache.Put(d, path)
	}
	return nil
}
