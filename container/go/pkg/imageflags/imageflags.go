// Package imageflags is how a command line names an image: by the options that
// rules_docker's pusher and digester took.
package imageflags

import (
	"flag"
	"fmt"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// Line is an error in words that scripts may look for, since upstream's programs
// printed them.
type Line string

func (l Line) Error() string { return string(l) }

// Errors of Load.
const (
	ErrNoImage Line = "Neither --tarball nor --config was specified."
	ErrParts   Line = "Unable to determine parts of the image from the specified arguments"
	ErrReading Line = "Error reading image"
)

// Texts is a flag that may be repeated.
type Texts []string

func (t *Texts) String() string { return strings.Join(*t, " ") }

// Set adds a value.
func (t *Texts) Set(value string) error {
	*t = append(*t, value)
	return nil
}

// LayerUsage describes the flag -layer.
const LayerUsage = "a layer, as `four comma separated paths`: compressed layer, uncompressed layer, " +
	"file with the compressed layer's sha256, file with the diff id; may be repeated"

// Flags are the options.
type Flags struct {
	Tarball  string
	Config   string
	Manifest string
	Layers   Texts
}

// Register adds the options to set.
func (f *Flags) Register(set *flag.FlagSet) {
	set.StringVar(&f.Tarball, "tarball", "", "docker-save `archive` of the image or, with -config, of further layers of it")
	set.StringVar(&f.Config, "config", "", "`file` with the image's configuration")
	set.StringVar(&f.Manifest, "manifest", "", "`file` with the base image's manifest, for its foreign layers")
	set.Var(&f.Layers, "layer", LayerUsage)
}

// Given tells whether the command line names an image, or a part of one.
func (f *Flags) Given() bool { return f.Config != "" || f.Tarball != "" || len(f.Layers) > 0 }

// Load reads the image, in format. Errors match ErrNoImage, ErrParts or ErrReading.
func (f *Flags) Load(format push.Format) (*push.Image, error) {
	if f.Config == "" && f.Tarball == "" {
		return nil, ErrNoImage
	}
	if f.Config == "" && len(f.Layers) == 0 {
		img, err := push.FromTarball(f.Tarball, format)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrReading, err)
		}
		return img, nil
	}
	if f.Config == "" {
		return nil, fmt.Errorf("%w: --layer needs --config", ErrParts)
	}
	parts := push.Parts{Config: f.Config, Manifest: f.Manifest, Tarball: f.Tarball}
	for _, value := range f.Layers {
		layer, err := push.ParseLayer(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrParts, err)
		}
		parts.Layers = append(parts.Layers, layer)
	}
	img, err := push.FromParts(parts, format)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReading, err)
	}
	return img, nil
}
