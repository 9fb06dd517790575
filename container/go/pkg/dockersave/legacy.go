package dockersave

import (
	"strings"

	ggcr "github.com/google/go-containerregistry/pkg/legacy"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// repositories is the file of that name: repository, tag, id of the top v1 layer.
type repositories map[string]map[string]string

// legacy lays an archive out with plain layers, readable by every docker:
// ID.json, V1ID/layer.tar, V1ID/json, V1ID/VERSION, manifest.json, repositories.
func legacy(images []*image) ([]entry, error) {
	c := newContents()
	repos := repositories{}
	// A layer that is in several places of the chains of v1 layers has several v1
	// ids. Its tar is written once; manifest.json says where.
	where := map[v1.Hash]string{}
	for _, i := range images {
		config := i.id.Hex + ".json"
		c.add(bytesEntry(config, i.raw))
		chain, err := v1Layers(i)
		if err != nil {
			return nil, err
		}
		layers, chains := []string{}, ChainIDs(i.config.RootFS.DiffIDs)
		for n, l := range i.layers {
			id := chain[n].ID
			if _, written := where[l.diffID]; !written {
				where[l.diffID] = id + "/layer.tar"
			}
			c.add(entry{where[l.diffID], l.meta.UncompressedSize, l.copyPlain, []v1.Hash{chains[n]}})
			if err := c.addJSON(id+"/json", chain[n]); err != nil {
				return nil, err
			}
			c.add(bytesEntry(id+"/VERSION", []byte("1.0")))
			layers = append(layers, where[l.diffID])
		}
		c.describe(i, config, layers)
		if len(chain) > 0 {
			repos.add(i.tag, chain[len(chain)-1].ID)
		}
	}
	if err := c.addJSON("manifest.json", c.manifest); err != nil {
		return nil, err
	}
	if err := c.addJSON("repositories", repos); err != nil {
		return nil, err
	}
	return c.entries, nil
}

// add points a tag to a v1 layer. A repository alone has the empty tag.
func (r repositories) add(tag, id string) {
	repository, name := tag, ""
	// A colon before the last slash belongs to the registry's port.
	if colon := strings.LastIndexByte(tag, ':'); colon > strings.LastIndexByte(tag, '/') {
		repository, name = tag[:colon], tag[colon+1:]
	}
	if r[repository] == nil {
		r[repository] = map[string]string{}
	}
	r[repository][name] = id
}

// v1Layers describes the layers of an image as those of Docker's image
// specification v1, each with its parent's id.
func v1Layers(i *image) ([]ggcr.LayerConfigFile, error) {
	entries := layerHistory(i)
	var chain []ggcr.LayerConfigFile
	parent := ""
	for n, l := range i.layers {
		h := entries[n]
		c := ggcr.LayerConfigFile{
			ConfigFile:      v1.ConfigFile{Created: h.Created, Author: h.Author},
			ContainerConfig: v1.Config{Cmd: []string{h.CreatedBy}},
			Parent:          parent,
			Comment:         h.Comment,
		}
		seed := l.digest.Hex + " " + parent
		if n == len(i.layers)-1 {
			seed += " " + string(i.raw)
			c.Architecture, c.OS, c.Container = i.config.Architecture, i.config.OS, i.config.Container
			c.Config, c.Created = i.config.Config, i.config.Created
		}
		id, _, err := v1.SHA256(strings.NewReader(seed))
		if err != nil {
			return nil, err
		}
		c.ID, parent = id.Hex, id.Hex
		chain = append(chain, c)
	}
	return chain, nil
}

// layerHistory gives the history of each layer. A base may tell less than it has
// layers, or nothing; the topmost entries then are those of the topmost layers.
func layerHistory(i *image) []v1.History {
	var known []v1.History
	for _, h := range i.config.History {
		if !h.EmptyLayer {
			known = append(known, h)
		}
	}
	entries := make([]v1.History, len(i.layers))
	for up := 1; up <= min(len(entries), len(known)); up++ {
		entries[len(entries)-up] = known[len(known)-up]
	}
	return entries
}
