package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
)

const ours = "builder layer" // the name of this project's program in the tables

// program is one way to do something, for turnsOf.
type program struct {
	name    string
	command measure.Command
}

// turnsOf runs programs in turn.
func (b *bench) turnsOf(ctx context.Context, title string, programs []program) (samples, error) {
	got := samples{}
	for round := range b.rounds {
		for n := range programs {
			p := programs[(n+round)%len(programs)]
			usage, err := b.launcher.Run(ctx, measure.Task{Commands: []measure.Command{p.command}})
			if err != nil {
				return nil, err
			}
			if len(usage.Failed) > 0 {
				return nil, fmt.Errorf("%s: %s", p.name, usage.Failed[0])
			}
			got[p.name] = append(got[p.name], sample{Usage: usage})
			b.say("%s round %d of %d: %s %.2f s", title, round+1, b.rounds, p.name, usage.Wall.Seconds())
		}
	}
	var names []string
	for _, p := range programs {
		names = append(names, p.name)
	}
	b.table(title, names, got, 0)
	return got, nil
}

// describe writes the description of a layer of files, and returns the command that
// builds it.
func (b *bench) describe(dir string, files []spec.File) (measure.Command, error) {
	description := spec.Layer{
		Version: 1, Target: "//bench:layer", Files: files, Compression: spec.Compression{Algorithm: "gzip"},
	}
	path, err := writeJSON(dir, "layer.json", description)
	return measure.Command{Args: []string{
		b.imagetool, "builder", "layer", "--spec", path, "--out", filepath.Join(dir, "layer.tar.gz"),
		"--metadata", filepath.Join(dir, "metadata.json"),
	}}, err
}

func writeJSON(dir, name string, document any) (string, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, data, 0o600)
}

// shell makes one command of a line for the shell.
func shell(format string, args ...any) measure.Command {
	return measure.Command{Args: []string{"/bin/sh", "-c", fmt.Sprintf(format, args...)}}
}

// files builds a layer of many small files, and the image of that layer.
func (b *bench) files(ctx context.Context) error {
	dir, remove, err := b.scratch("files")
	if err != nil {
		return err
	}
	defer remove()
	const count, size = 10_000, 4 << 10
	tree := filepath.Join(dir, "tree")
	random := images.Random(1)
	var list []spec.File
	for n := range count {
		name := fmt.Sprintf("data/%03d/%02d", n/100, n%100)
		path := filepath.Join(tree, name)
		if n%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
		}
		if err := writeRandom(path, random, size); err != nil {
			return err
		}
		list = append(list, spec.File{Source: path, Destination: name})
	}
	layer, err := b.describe(dir, list)
	if err != nil {
		return err
	}
	image, err := b.imageOf(dir)
	if err != nil {
		return err
	}
	both := shell("%s && %s", strings.Join(layer.Args, " "), strings.Join(image.Args, " "))
	got, err := b.turnsOf(ctx, "10,000 random files of 4 KiB:", []program{
		{ours, layer},
		{"tar \\| pigz -6", shell("tar -C %s -cf - . | pigz -6 > %s/theirs.tar.gz", tree, dir)},
		{"builder layer and image", both},
	})
	if err != nil {
		return err
	}
	b.figures(
		figure{"wall", got.ratio(wall, ours, "tar \\| pigz -6"), 0.8, "x `tar | pigz -6`"},
		// That figure was taken with Bazel; these are the programs that it would run.
		figure{"wall of layer and image, against a quarter of rules_docker's 1.7 s, which is not of this run", column(wall).median(got["builder layer and image"]), 1.7 / 4,
			"s"},
	)
	return b.sameBytes(ctx, dir, layer)
}

// imageOf returns the command that builds the image of the layer in dir.
func (b *bench) imageOf(dir string) (measure.Command, error) {
	description := spec.Image{
		Version: 1, Target: "//bench:image", NewLayers: 1,
		Layers: []spec.ImageLayer{{Metadata: filepath.Join(dir, "metadata.json")}},
	}
	path, err := writeJSON(dir, "image.json", description)
	args := []string{b.imagetool, "builder", "image", "--spec", path}
	for _, output := range []string{"config", "config-digest", "manifest", "oci-manifest", "digest"} {
		args = append(args, "--"+output, filepath.Join(dir, "image-"+output))
	}
	return measure.Command{Args: args}, err
}

// gigabyte builds a layer of one large file that compresses badly, or well.
func (b *bench) gigabyte(ctx context.Context) error {
	for _, of := range []struct {
		name string
		data io.Reader
		most float64
	}{
		{"incompressible", images.Random(1), 3},
		{"compressible", &repeated{text: []byte("all work and no play makes a dull container image\n")}, 2},
	} {
		if err := b.oneFile(ctx, of.name, of.data, of.most); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) oneFile(ctx context.Context, name string, data io.Reader, most float64) error {
	dir, remove, err := b.scratch("gigabyte")
	if err != nil {
		return err
	}
	defer remove()
	path := filepath.Join(dir, "file")
	if err := writeRandom(path, data, 1<<30); err != nil {
		return err
	}
	layer, err := b.describe(dir, []spec.File{{Source: path, Destination: "data/file"}})
	if err != nil {
		return err
	}
	got, err := b.turnsOf(ctx, "1 GiB, "+name+":", []program{
		{ours, layer},
		{"openssl dgst -sha256", measure.Command{Args: []string{"openssl", "dgst", "-sha256", path}}},
	})
	if err != nil {
		return err
	}
	b.figures(
		figure{"wall", got.ratio(wall, ours, "openssl dgst -sha256"), most, "x openssl"},
		figure{"peak RSS", column(peak).worst(got[ours]), 64, "MiB"},
	)
	return b.sameBytes(ctx, dir, layer)
}

// sameBytes builds a layer on one core and on all, and compares.
func (b *bench) sameBytes(ctx context.Context, dir string, layer measure.Command) error {
	metadata := map[string]bool{}
	for _, cores := range []string{"1", "2", "7"} {
		layer.Env = []string{"GOMAXPROCS=" + cores}
		usage, err := b.launcher.Run(ctx, measure.Task{Commands: []measure.Command{layer}})
		if err != nil {
			return err
		}
		if len(usage.Failed) > 0 {
			return fmt.Errorf("GOMAXPROCS=%s: %s", cores, usage.Failed[0])
		}
		data, err := os.ReadFile(filepath.Join(dir, "metadata.json")) // the blob's digest is in it
		if err != nil {
			return err
		}
		metadata[string(data)] = true
	}
	b.figures(figure{"different outputs with GOMAXPROCS 1, 2 and 7", float64(len(metadata)), 1, ""})
	return nil
}

func writeRandom(path string, from io.Reader, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.CopyN(file, from, size)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// repeated is an endless repetition of a text.
type repeated struct {
	text []byte
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		copied := copy(p[n:], r.text[r.at:])
		n += copied
		r.at = (r.at + copied) % len(r.text)
	}
	return n, nil
}
