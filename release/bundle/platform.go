package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// Platform is what a program runs on, in Go's names.
type Platform struct{ OS, Arch string }

// Platforms returns those that a release has programs for.
func Platforms() []Platform {
	return []Platform{
		{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "s390x"}, {"linux", "ppc64le"},
		{"darwin", "amd64"}, {"darwin", "arm64"},
		{"windows", "amd64"},
	}
}

// String returns the platform's folder below prebuilt/, such as linux_amd64.
func (p Platform) String() string { return p.OS + "_" + p.Arch }

// program returns where the platform's program is in the archive and in a checkout.
func (p Platform) program() string {
	name := "imagetool"
	if p.OS == "windows" {
		name += ".exe"
	}
	return "prebuilt/" + p.String() + "/" + name
}

// ParsePlatforms reads a comma-separated list of a release's platforms, such as linux_amd64,darwin_arm64.
func ParsePlatforms(list string) ([]Platform, error) {
	var chosen []Platform
	for _, name := range strings.Split(list, ",") {
		i := slices.IndexFunc(Platforms(), func(p Platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown platform %q: choose from %v", name, Platforms())
		}
		if p := Platforms()[i]; !slices.Contains(chosen, p) {
			chosen = append(chosen, p)
		}
	}
	return chosen, nil
}
