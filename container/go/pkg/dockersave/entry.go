package dockersave

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is a regular file of an archive.
type entry struct {
	name string
	size int64
	copy func(context.Context, io.Writer) error
	// chains are, if this is a layer, the chain ids of all places that it is needed in.
	chains []v1.Hash
}

func bytesEntry(name string, data []byte) entry {
	return entry{name: name, size: int64(len(data)), copy: func(_ context.Context, w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

func jsonEntry(name string, v any) (entry, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return entry{}, err
	}
	return bytesEntry(name, bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

func writeEntries(ctx context.Context, w io.Writer, entries []entry) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: e.size, Mode: 0o644, ModTime: time.Unix(0, 0)}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		if err := e.copy(ctx, t); err != nil {
			return err
		}
	}
	return t.Close()
}

// contents collects the entries of an archive, each name once.
type contents struct {
	entries  []entry
	places   map[string]int // of entries, by name
	manifest tarball.Manifest
}

func newContents() *contents {
	return &contents{places: map[string]int{}, manifest: tarball.Manifest{}}
}

func (c *contents) add(e entry) {
	if at, there := c.places[e.name]; there {
		c.entries[at].chains = append(c.entries[at].chains, e.chains...)
		return
	}
	c.places[e.name] = len(c.entries)
	c.entries = append(c.entries, e)
}

// describe adds an image to manifest.json.
func (c *contents) describe(i *image, config string, layers []string) {
	sources := map[v1.Hash]v1.Descriptor{}
	for _, l := range i.layers {
		if d, foreign := l.source(); foreign {
			sources[l.diffID] = d
		}
	}
	c.manifest = append(c.manifest, tarball.Descriptor{
		Config: config, RepoTags: []string{i.tag}, Layers: layers, LayerSources: sources,
	})
}

func (c *contents) addJSON(name string, v any) error {
	e, err := jsonEntry(name, v)
	if err != nil {
		return err
	}
	c.add(e)
	return nil
}
