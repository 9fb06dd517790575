package pull

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrPlatform says that an index has no image for a platform.
var ErrPlatform = errors.New("no image for the platform")

// Platform says which image of an index is wanted (image-spec, image-index.md).
type Platform struct {
	// OS and Architecture have to be those of the entry.
	OS, Architecture string
	// OSVersion and Variant have to be those of the entry, unless they are "".
	OSVersion, Variant string
	// OSFeatures and Features have to be among those of the entry.
	OSFeatures, Features []string
}

// matches tells whether an entry of an index will do. One that does not say is taken
// to be for linux/amd64.
func (p Platform) matches(entry *v1.Platform) bool {
	if entry == nil {
		entry = &v1.Platform{OS: "linux", Architecture: "amd64"}
	}
	return p.OS == entry.OS && p.Architecture == entry.Architecture &&
		(p.OSVersion == "" || p.OSVersion == entry.OSVersion) &&
		(p.Variant == "" || p.Variant == entry.Variant) &&
		subset(p.OSFeatures, entry.OSFeatures) && subset(p.Features, entry.Features)
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// pick returns the first entry of an index that will do.
func (p Platform) pick(entries []v1.Descriptor) (v1.Descriptor, error) {
	var there []string
	for _, e := range entries {
		if p.matches(e.Platform) {
			return e, nil
		}
		there = append(there, describe(e.Platform))
	}
	slices.Sort(there)
	return v1.Descriptor{}, fmt.Errorf("%w %s; there are: %s", ErrPlatform, p, strings.Join(slices.Compact(there), ", "))
}

func (p Platform) String() string {
	return describe(&v1.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion,
		OSFeatures: p.OSFeatures, Features: p.Features,
	})
}

func describe(p *v1.Platform) string {
	if p == nil {
		return "an image for no platform in particular (taken for linux/amd64)"
	}
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	if p.OSVersion != "" {
		text += " version " + p.OSVersion
	}
	for _, f := range append(slices.Clone(p.OSFeatures), p.Features...) {
		text += " with " + f
	}
	return text
}
