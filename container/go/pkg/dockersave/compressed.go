package dockersave

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// compressed lays an archive out with layer blobs as they are: sha256:ID for a
// configuration, HEX.tar.gz for a layer, manifest.json.
func compressed(images []*image) ([]entry, error) {
	c := newContents()
	for _, i := range images {
		config := i.id.String()
		c.add(bytesEntry(config, i.raw))
		layers, chains := []string{}, ChainIDs(i.config.RootFS.DiffIDs)
		for n, l := range i.layers {
			name := l.digest.Hex + extension(l.meta.MediaType)
			c.add(entry{name, l.meta.Size, l.copyBlob, []v1.Hash{chains[n]}})
			layers = append(layers, name)
		}
		c.describe(i, config, layers)
	}
	if err := c.addJSON("manifest.json", c.manifest); err != nil {
		return nil, err
	}
	return c.entries, nil
}

// extension is what tar tools expect for the media type of a blob.
func extension(mediaType string) string {
	switch {
	case strings.HasSuffix(mediaType, "+zstd"):
		return ".tar.zst"
	case strings.HasSuffix(mediaType, ".tar"):
		return ".tar"
	}
	return ".tar.gz"
}
