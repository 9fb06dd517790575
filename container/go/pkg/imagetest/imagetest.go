// Package imagetest is the program of tests of images: it does what a spec.TestPlan
// says, without docker, and fails if an image is not as it should be.
package imagetest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/savedimage"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/structuretest"
)

// ErrFailed says that an image is not as it should be; why has been printed.
var ErrFailed = errors.New("test failed")

// Params is what a run needs.
type Params struct {
	Plan spec.TestPlan
	// Resolve turns the plan's runfiles paths into paths of files.
	Resolve func(string) (string, error)
	Stdout  io.Writer
	TempDir string // "" is the system's
}

// Run runs the test. Its error wraps ErrFailed, or says why there was no testing.
func Run(ctx context.Context, p Params) error {
	var err error
	switch {
	case p.Plan.SameID != nil:
		err = sameID(ctx, p, *p.Plan.SameID)
	case p.Plan.Structure != nil:
		err = structure(ctx, p, *p.Plan.Structure)
	default:
		err = errors.New("the plan has no test")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.Plan.Target, err)
	}
	return nil
}

func sameID(ctx context.Context, p Params, t spec.SameIDTest) error {
	want := strings.TrimPrefix(strings.TrimSpace(t.ID), "sha256:")
	if raw, err := hex.DecodeString(want); want != "" && (err != nil || len(raw) != 32) {
		return fmt.Errorf("id %q is not a sha256 in hex", t.ID)
	}
	if len(t.Images) == 0 || len(t.Images) == 1 && want == "" {
		return errors.New("there is nothing to compare: give several images, or one and its id")
	}
	same := true
	for _, image := range t.Images {
		id, err := imageID(ctx, p, image)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s %s\n", id.Hex, image.Name)
		if want == "" {
			want = id.Hex
		}
		same = same && id.Hex == want
	}
	if !same {
		return fmt.Errorf("%w: not all image ids are %s", ErrFailed, want)
	}
	return nil
}

func imageID(ctx context.Context, p Params, image spec.IDSource) (v1.Hash, error) {
	runfile := image.Config
	if runfile == "" {
		runfile = image.Tarball
	}
	path, err := p.Resolve(runfile)
	if err != nil {
		return v1.Hash{}, err
	}
	var config []byte
	if image.Config != "" {
		config, err = os.ReadFile(path)
	} else {
		config, err = savedimage.Config(ctx, path, p.TempDir)
	}
	if err != nil {
		return v1.Hash{}, err
	}
	id, _, err := v1.SHA256(bytes.NewReader(config))
	return id, err
}

func structure(ctx context.Context, p Params, t spec.StructureTest) error {
	var configs []structuretest.Config
	for _, runfile := range t.Configs {
		path, err := p.Resolve(runfile)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		config, err := structuretest.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", runfile, err)
		}
		configs = append(configs, config)
	}
	layers, image, err := open(p, t.Image)
	if err != nil {
		return err
	}
	files, err := structuretest.ReadFiles(ctx, layers, configs, p.TempDir)
	if err != nil {
		return err
	}
	failed, total := 0, 0
	for i, config := range configs {
		fmt.Fprintf(p.Stdout, "%s\n", t.Configs[i])
		for _, r := range config.Check(files, image) {
			total++
			verdict := "ok  "
			if len(r.Failures) > 0 {
				failed++
				verdict = "FAIL"
			}
			fmt.Fprintf(p.Stdout, "  %s %s\n", verdict, r.Name)
			for _, failure := range r.Failures {
				fmt.Fprintf(p.Stdout, "       %s\n", failure)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d", ErrFailed, failed, total)
	}
	return nil
}

// open finds the layers and the configuration of an image.
func open(p Params, image spec.TarballImage) ([]string, *v1.ConfigFile, error) {
	var layers []string
	if image.Archive != "" {
		dir, err := p.Resolve(image.Archive)
		if err != nil {
			return nil, nil, err
		}
		below, err := spec.ReadArchive(dir)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range below.Layers {
			layers = append(layers, l.Blob)
		}
	}
	for _, runfile := range image.Layers {
		path, err := p.Resolve(runfile)
		if err != nil {
			return nil, nil, err
		}
		layers = append(layers, path)
	}
	path, err := p.Resolve(image.Config)
	if err != nil {
		return nil, nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(data))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: not the configuration of an image: %w", path, err)
	}
	return layers, config, nil
}
