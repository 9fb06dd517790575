package push

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// What registries of these kinds do.
var (
	dockerLike = scripted.Traits{Mounts: true, Digests: true, Absolute: true}
	olaregLike = scripted.Traits{Mounts: true, OnePost: true, Keeps: true, Digests: true}
	sharing    = scripted.Traits{Global: true, OnePost: true, Names: true, Digests: true}
)

const layerSize = 1_000_000

// scene is a registry and the images that are pushed to it.
type scene struct {
	t        *testing.T
	registry *scripted.Registry
	host     string
	stats    distribution.Stats
}

func newScene(t *testing.T, traits scripted.Traits) *scene {
	r := scripted.New(t, traits)
	u := r.URL()
	return &scene{t: t, registry: r, host: u.Host}
}

// image makes an image of layers, each of which its name stands for.
func (s *scene) image(layers ...string) *Image {
	s.t.Helper()
	dir := s.t.TempDir()
	blob := func(mediaType types.MediaType, data []byte) Blob {
		digest, size, err := v1.SHA256(bytes.NewReader(data))
		if err != nil {
			s.t.Fatal(err)
		}
		return fileBlob(v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, save(s.t, filepath.Join(dir, digest.Hex), data))
	}
	var blobs []Blob
	for _, layer := range layers {
		blobs = append(blobs, blob(types.DockerLayer, content(layer)))
	}
	config, err := json.Marshal(v1.ConfigFile{Author: strings.Join(layers, " ")})
	if err != nil {
		s.t.Fatal(err)
	}
	image, err := newImage(Docker, blob(types.DockerConfigJSON, config), blobs)
	if err != nil {
		s.t.Fatal(err)
	}
	return image
}

// content is a layer that is unlike any other.
func content(layer string) []byte {
	return bytes.Repeat([]byte(layer+" "), layerSize/(len(layer)+1)+1)[:layerSize]
}

func (s *scene) job(image *Image, to string) Job {
	s.t.Helper()
	ref, err := name.ParseReference(s.host + "/" + to)
	if err != nil {
		s.t.Fatal(err)
	}
	return Job{Image: image, Ref: ref}
}

// push pushes in one run and returns its requests in short.
func (s *scene) push(jobs ...Job) []string {
	s.t.Helper()
	before := len(s.registry.Log())
	s.stats = distribution.Stats{}
	planner := Planner{
		Client: registry.New(registry.Options{Rules: []registry.Rule{registry.Insecure(map[string]string{s.host: "test"})}}),
		Stats:  &s.stats,
		Retry:  distribution.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	}
	for i, r := range planner.Push(context.Background(), jobs, nil) {
		if r.Err != nil {
			s.t.Fatalf("%s: %v", jobs[i].Ref, r.Err)
		}
		tag := jobs[i].Ref.(name.Tag)
		if got := s.registry.Manifest(tag.RepositoryStr(), tag.TagStr()); !bytes.Equal(got, jobs[i].Image.Manifest) {
			s.t.Errorf("%s is %q", tag, got)
		}
		for _, blob := range append([]Blob{jobs[i].Image.Config}, jobs[i].Image.Layers...) {
			data, err := os.ReadFile(blob.Path)
			if err != nil {
				s.t.Fatal(err)
			}
			if got := s.registry.Blob(tag.RepositoryStr(), blob.Descriptor.Digest.String()); !bytes.Equal(got, data) && !s.registry.Traits.Global {
				s.t.Errorf("%s lacks %s", tag.RepositoryStr(), blob.Descriptor.Digest)
			}
		}
	}
	return s.registry.Sequence()[before:]
}

func size(images ...*Image) (total int64) {
	seen := map[v1.Hash]bool{}
	for _, image := range images {
		for _, blob := range append([]Blob{image.Config}, image.Layers...) {
			if !seen[blob.Descriptor.Digest] {
				total += blob.Descriptor.Size
			}
			seen[blob.Descriptor.Digest] = true
		}
	}
	return total
}

func TestEachBlobOnce(t *testing.T) {
	const images, shared = 8, 3
	for _, c := range []struct {
		kind   string
		traits scripted.Traits
		most   int // requests
	}{
		// An image: its manifest asked for, mounts, two blobs of its own, its manifest put.
		{"docker", dockerLike, images*(1+shared+2*2+1) + shared + 1},
		{"olareg", olaregLike, images*(1+shared+2+1) + shared + 1},
		{"shared blobs", sharing, images*(1+shared+2+1) + shared + 1},
	} {
		t.Run(c.kind, func(t *testing.T) {
			s := newScene(t, c.traits)
			var jobs []Job
			var all []*Image
			for i := range images {
				image := s.image("a", "b", "c", fmt.Sprint("own", i))
				all = append(all, image)
				jobs = append(jobs, s.job(image, fmt.Sprintf("team/app%d:v1", i)))
			}
			did := s.push(jobs...)
			if len(did) > c.most {
				t.Errorf("%d requests, want %d at most: %v", len(did), c.most, did)
			}
			// The first configuration may be sent twice, to learn what the registry takes.
			if got, want := s.registry.BlobBytes(), size(all...); got < want || got > want+1000 {
				t.Errorf("%d bytes of blobs, want %d", got, want)
			}

			if did = s.push(jobs...); len(did) != images {
				t.Errorf("nothing changed, and yet %v", did)
			}
		})
	}
}

func TestManifestLast(t *testing.T) {
	s := newScene(t, dockerLike)
	did := s.push(s.job(s.image("a", "b"), "team/app:v1"))
	if last := did[len(did)-1]; last != "PUT manifest" || slices.Index(did, last) != len(did)-1 {
		t.Errorf("did %v", did)
	}
}

func TestNewTag(t *testing.T) {
	for _, traits := range []scripted.Traits{dockerLike, olaregLike, sharing} {
		s := newScene(t, traits)
		image := s.image("a", "b", "c")
		s.push(s.job(image, "team/app:v1"))
		want := []string{"GET manifest", "HEAD manifest", "PUT manifest"}
		sent := s.registry.BlobBytes()
		if did := s.push(s.job(image, "team/app:v2")); !slices.Equal(did, want) || s.registry.BlobBytes() > sent {
			t.Errorf("%+v: did %v", traits, did)
		}
	}
}

func TestChangedLayer(t *testing.T) {
	for _, traits := range []scripted.Traits{dockerLike, olaregLike, sharing} {
		s := newScene(t, traits)
		s.push(s.job(s.image("a", "b", "c", "old"), "team/app:v1"))
		sent := s.registry.BlobBytes()
		did := s.push(s.job(s.image("a", "b", "c", "new"), "team/app:v1"))
		if got := s.registry.BlobBytes() - sent; got < layerSize || got > layerSize+2000 {
			t.Errorf("%+v: sent %d bytes for a layer of %d", traits, got, layerSize)
		}
		if len(did) > 8 {
			t.Errorf("%+v: did %v", traits, did)
		}
	}
}

func TestBaseIsMounted(t *testing.T) {
	s := newScene(t, dockerLike)
	for _, layer := range []string{"base1", "base2"} {
		s.registry.AddBlob("library/base", content(layer))
	}
	job := s.job(s.image("base1", "base2", "own"), "team/app:v1")
	base, err := name.NewRepository(s.host + "/library/base")
	if err != nil {
		t.Fatal(err)
	}
	job.Base, job.BaseLayers = base, 2
	s.push(job)
	if got := s.registry.BlobBytes(); got > layerSize+2000 {
		t.Errorf("sent %d bytes, of which %d are new", got, layerSize)
	}
	if s.stats.Mounted.Load() != 2 {
		t.Errorf("mounted %d", s.stats.Mounted.Load())
	}

	// A base of another registry has nothing to mount.
	s = newScene(t, dockerLike)
	job = s.job(s.image("base1"), "team/app:v1")
	job.Base, job.BaseLayers = base, 1
	s.push(job)
	if s.stats.Mounted.Load() != 0 || s.registry.BlobBytes() < layerSize {
		t.Errorf("mounted %d, sent %d", s.stats.Mounted.Load(), s.registry.BlobBytes())
	}
}

// What a manifest names may have been deleted behind its back.
func TestBlobsThatAreGone(t *testing.T) {
	s := newScene(t, dockerLike)
	s.push(s.job(s.image("a", "old"), "team/app:v1"))
	s.registry.Script("PUT manifest", 1, scripted.Refuse(404, "MANIFEST_BLOB_UNKNOWN"))
	did := s.push(s.job(s.image("a", "new"), "team/app:v1"))
	n := 0
	for _, request := range did {
		if request == "PUT manifest" {
			n++
		}
	}
	asked := slices.Index(did, "PUT manifest") + 1
	if n != 2 || !slices.Contains(did[asked:], "POST mount") {
		t.Errorf("did %v", did)
	}
}

func TestStreamFromAnOffset(t *testing.T) {
	s := stream{bytesBlob(v1.Descriptor{Size: 5}, []byte("hello"))}
	for offset, want := range []string{"hello", "ello", "llo", "lo", "o", ""} {
		r, err := s.Open(int64(offset))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("from %d: %q, %v", offset, got, err)
		}
	}
	if _, err := s.Open(6); err == nil {
		t.Error("no error beyond the end")
	}
}
