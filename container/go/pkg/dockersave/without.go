package dockersave

import (
	"crypto/sha256"
	"encoding/hex"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ChainIDs names each layer together with all that are below it (OCI image-spec,
// config.md, "Layer ChainID"), which is what docker stores layers under.
func ChainIDs(diffIDs []v1.Hash) []v1.Hash {
	chains := make([]v1.Hash, len(diffIDs))
	for n, id := range diffIDs {
		chains[n] = id
		if n > 0 {
			sum := sha256.Sum256([]byte(chains[n-1].String() + " " + id.String()))
			chains[n] = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
		}
	}
	return chains
}

// Without is the archive as a docker needs it that has the layers of the given chain
// ids: those are named in it, and not there. A layer that some image has elsewhere in
// its chain stays.
func (a *Archive) Without(present map[v1.Hash]bool) *Archive {
	less := &Archive{target: a.target, images: a.images}
	for _, e := range a.entries {
		if !e.isLayer() || e.lacking(present) {
			less.entries = append(less.entries, e)
		}
	}
	return less
}

// Layers is how many layers are there.
func (a *Archive) Layers() int {
	n := 0
	for _, e := range a.entries {
		if e.isLayer() {
			n++
		}
	}
	return n
}

func (e entry) isLayer() bool { return len(e.chains) > 0 }

func (e entry) lacking(present map[v1.Hash]bool) bool {
	for _, chain := range e.chains {
		if !present[chain] {
			return true
		}
	}
	return false
}
