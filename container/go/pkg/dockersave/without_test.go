package dockersave

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestChainIDs(t *testing.T) {
	hash := func(digit string) v1.Hash {
		return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(digit, 64)}
	}
	a, b, c := hash("a"), hash("b"), hash("c")
	want := []v1.Hash{
		a, {Algorithm: "sha256", Hex: v1ID(a.String(), b.String())},
		{Algorithm: "sha256", Hex: v1ID("sha256:"+v1ID(a.String(), b.String()), c.String())},
	}
	if got := ChainIDs([]v1.Hash{a, b, c}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ChainIDs(nil); len(got) > 0 {
		t.Errorf("no layers have the chains %v", got)
	}
}

func TestWithout(t *testing.T) {
	for _, format := range []string{"legacy", "compressed"} {
		t.Run(format, func(t *testing.T) {
			a, b, c := makeLayer(t, "a", "gzip"), makeLayer(t, "b", "gzip"), makeLayer(t, "c", "gzip")
			whole, err := Open(archiveOf(t, format, makeImage(t, "p:abc", `[]`, a, b, c), makeImage(t, "p:b", `[]`, b)))
			if err != nil {
				t.Fatal(err)
			}
			chains := func(layers ...testLayer) []v1.Hash {
				var ids []v1.Hash
				for _, l := range layers {
					id, err := v1.NewHash(l.meta.DiffID)
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, id)
				}
				return ChainIDs(ids)
			}
			for _, c := range []struct {
				name    string
				present []v1.Hash
				want    string // the layers that stay
			}{
				{"nothing", nil, "abc"},
				{"the lowest layer", chains(a), "bc"},
				{"a layer that is needed in another place too", chains(a, b), "bc"},
				{"a layer in both places", append(chains(a, b), chains(b)...), "c"},
				{"all", append(chains(a, b, c), chains(b)...), ""},
				{"a layer on top of others", chains(c), "abc"},
			} {
				t.Run(c.name, func(t *testing.T) {
					present := map[v1.Hash]bool{}
					for _, chain := range c.present {
						present[chain] = true
					}
					less := whole.Without(present)
					var out bytes.Buffer
					if err := less.Write(t.Context(), &out); err != nil {
						t.Fatal(err)
					}
					_, contents := list(t, out.Bytes())
					if got := layersOf(t, contents); got != c.want || less.Layers() != len(c.want) || whole.Layers() != 3 {
						t.Errorf("the layers %q stay, %d of %d; want %q", got, less.Layers(), whole.Layers(), c.want)
					}
					if !slices.Equal(less.Images(), whole.Images()) {
						t.Errorf("images %v, want %v", less.Images(), whole.Images())
					}
				})
			}
		})
	}
}

// layersOf names the layers that are in an archive, of those that its manifest names.
func layersOf(t *testing.T, contents map[string]string) string {
	t.Helper()
	var manifest tarball.Manifest
	if err := json.Unmarshal([]byte(contents["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, image := range manifest {
		for _, name := range image.Layers {
			if content, ok := contents[name]; ok {
				there[nameOf(t, content)] = true
			}
		}
	}
	var all []string
	for name := range there {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}
