package spec

import (
	"fmt"
	"path/filepath"
	"strings"
)

// ArchiveIndexName is the name of the ArchiveIndex in its directory.
const ArchiveIndexName = "index.json"

// ArchiveIndex lists the layers of a directory that a docker-save archive was
// unpacked to. How many there are is not known before the build runs, so rules hand
// on the directory, and the programs that read it take its layers first.
type ArchiveIndex struct {
	Version int            `json:"version"`
	Layers  []ArchiveLayer `json:"layers"` // bottom-most first
}

// ArchiveLayer is one layer of an unpacked archive.
type ArchiveLayer struct {
	Blob     string        `json:"blob"` // name of a file in the directory
	Metadata LayerMetadata `json:"metadata"`
}

// ReadArchive reads the index of a directory; Blob of its layers becomes the path of
// a file. Without a directory there are no layers.
func ReadArchive(dir string) (ArchiveIndex, error) {
	if dir == "" {
		return ArchiveIndex{Version: Version}, nil
	}
	path := filepath.Join(dir, ArchiveIndexName)
	index, err := Read[ArchiveIndex](path)
	if err != nil {
		return ArchiveIndex{}, err
	}
	for i, l := range index.Layers {
		if l.Blob == "" || strings.ContainsAny(l.Blob, `/\`) {
			return ArchiveIndex{}, fmt.Errorf("%s: layer %d: %q is not the name of a file", path, i+1, l.Blob)
		}
		index.Layers[i].Blob = filepath.Join(dir, l.Blob)
	}
	return index, nil
}

func (a ArchiveIndex) version() int { return a.Version }
