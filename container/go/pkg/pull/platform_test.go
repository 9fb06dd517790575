package pull

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func entries() []v1.Descriptor {
	var all []v1.Descriptor
	for _, e := range []struct {
		hex      string
		platform *v1.Platform
	}{
		{"arm5", &v1.Platform{OS: "linux", Architecture: "arm", Variant: "v5"}},
		{"arm7", &v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}},
		{"none", nil},
		{"amd64", &v1.Platform{OS: "linux", Architecture: "amd64"}},
		{"win17", &v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.17763.1", OSFeatures: []string{"win32k", "x"}}},
		{"win20", &v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1"}},
		{"sse", &v1.Platform{OS: "linux", Architecture: "386", Features: []string{"sse4"}}},
	} {
		all = append(all, v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: e.hex}, Platform: e.platform})
	}
	return all
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		name string
		want string // "" for none
		p    Platform
	}{
		{"first of several", "arm5", Platform{OS: "linux", Architecture: "arm"}},
		{"variant", "arm7", Platform{OS: "linux", Architecture: "arm", Variant: "v7"}},
		{"no such variant", "", Platform{OS: "linux", Architecture: "arm", Variant: "v6"}},
		{"one that does not say is linux/amd64", "none", Platform{OS: "linux", Architecture: "amd64"}},
		{"os", "win17", Platform{OS: "windows", Architecture: "amd64"}},
		{"os version", "win20", Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1"}},
		{"os version is exact", "", Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348"}},
		{"os features", "win17", Platform{OS: "windows", Architecture: "amd64", OSFeatures: []string{"x"}}},
		{"too many os features", "", Platform{OS: "windows", Architecture: "amd64", OSFeatures: []string{"x", "y"}}},
		{"features", "sse", Platform{OS: "linux", Architecture: "386", Features: []string{"sse4"}}},
		{"architecture is exact", "", Platform{OS: "linux", Architecture: "AMD64"}},
		{"nothing wanted matches nothing", "", Platform{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.p.pick(entries())
			if got.Digest.Hex != c.want {
				t.Errorf("got %q, want %q", got.Digest.Hex, c.want)
			}
			if (c.want == "") != errors.Is(err, ErrPlatform) {
				t.Errorf("error %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "linux/arm/v7, windows/amd64 version 10.0.17763.1 with win32k with x") {
				t.Errorf("the message does not say what there is: %v", err)
			}
		})
	}
}
