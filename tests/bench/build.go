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

const (
	ours         = "builder layer" // the name of this project's program in the tables
	pigz         = "tar \\| pigz -6"
	openssl      = "openssl dgst -sha256"
	metadataName = "metadata.json"
)

// program is one way to do something, for turnsOf.
type program struct {
	name    string
	command measure.Command
	output  string // a file that is removed before each turn, as Bazel does before an action
}

// turnsOf runs programs in turn.
func (b *bench) turnsOf(ctx context.Context, title string, programs []program) (samples, error) {
	got := samples{}
	for round := range b.rounds {
		for n := range programs {
			p := programs[(n+round)%len(programs)]
			if err := os.RemoveAll(p.output); err != nil {
				return nil, err
			}
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

// describe writes the descriptions of a layer of files, and returns the programs that
// build it: one for each compression, gzip first.
func (b *bench) describe(dir string, files []spec.File) ([]program, error) {
	var all []program
	for _, algorithm := range []string{"gzip", "zstd", "none"} {
		name := ours
		if algorithm != "gzip" {
			name += ", " + algorithm
		}
		path, err := writeJSON(dir, algorithm+".json", spec.Layer{
			Version: 1, Target: "//bench:layer", Files: files, Compression: spec.Compression{Algorithm: algorithm},
		})
		if err != nil {
			return nil, err
		}
		out := filepath.Join(dir, "layer")
		all = append(all, program{name, measure.Command{Args: []string{
			b.imagetool, "builder", "layer", "--spec", path, "--out", out, "--metadata", filepath.Join(dir, metadataName),
		}}, out})
	}
	return all, nil
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

// small writes many small files below dir, and lists them as the files of a layer.
func small(dir string) ([]spec.File, error) {
	const count, size = 10_000, 4 << 10
	random := images.Random(1)
	var list []spec.File
	for n := range count {
		name := fmt.Sprintf("data/%03d/%02d", n/100, n%100)
		path := filepath.Join(dir, name)
		if n%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return nil, err
			}
		}
		if err := writeRandom(path, random, size); err != nil {
			return nil, err
		}
		list = append(list, spec.File{Source: path, Destination: name})
	}
	return list, nil
}

// zipped is what layers of many small files are compared with.
func zipped(tree, out string) program {
	return program{pigz, shell("tar -C %s -cf - . | pigz -6 > %s", tree, out), out}
}

// files builds a layer of many small files, and the image of that layer.
func (b *bench) files(ctx context.Context) error {
	dir, remove, err := b.scratch("files")
	if err != nil {
		return err
	}
	defer remove()
	tree := filepath.Join(dir, "tree")
	list, err := small(tree)
	if err != nil {
		return err
	}
	layers, err := b.describe(dir, list)
	if err != nil {
		return err
	}
	image, err := b.imageOf(dir)
	if err != nil {
		return err
	}
	both := shell("%s && %s", strings.Join(layers[0].command.Args, " "), strings.Join(image.Args, " "))
	got, err := b.turnsOf(ctx, "10,000 random files of 4 KiB:", append([]program{
		layers[0], zipped(tree, filepath.Join(dir, "theirs")), {"builder layer and image", both, layers[0].output},
	}, layers[1:]...))
	if err != nil {
		return err
	}
	b.figures(figure{"wall", got.ratio(wall, ours, pigz), 0.8, "x `tar | pigz -6`"})
	return b.sameBytes(ctx, dir, layers)
}

// imageOf returns the command that builds the image of the layer in dir.
func (b *bench) imageOf(dir string) (measure.Command, error) {
	description := spec.Image{
		Version: 1, Target: "//bench:image", NewLayers: 1,
		Layers: []spec.ImageLayer{{Metadata: filepath.Join(dir, metadataName)}},
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
	layers, err := b.describe(dir, []spec.File{{Source: path, Destination: "data/file"}})
	if err != nil {
		return err
	}
	got, err := b.turnsOf(ctx, "1 GiB, "+name+":", append([]program{
		layers[0],
		{openssl, measure.Command{Args: []string{"openssl", "dgst", "-sha256", path}}, ""},
		// What reading the file and writing as much again takes by itself.
		{"cp", measure.Command{Args: []string{"cp", path, filepath.Join(dir, "copy")}}, filepath.Join(dir, "copy")},
	}, layers[1:]...))
	if err != nil {
		return err
	}
	b.figures(
		figure{"wall", got.ratio(wall, ours, openssl), most, "x openssl"},
		figure{"peak RSS", column(peak).worst(got[ours]), 64, "MiB"},
	)
	return b.sameBytes(ctx, dir, layers)
}

// sameBytes builds layers on one core and on several, and compares.
func (b *bench) sameBytes(ctx context.Context, dir string, layers []program) error {
	var all []figure
	for _, layer := range layers {
		metadata := map[string]bool{}
		for _, cores := range []string{"1", "2", "7"} {
			layer.command.Env = []string{"GOMAXPROCS=" + cores}
			usage, err := b.launcher.Run(ctx, measure.Task{Commands: []measure.Command{layer.command}})
			if err != nil {
				return err
			}
			if len(usage.Failed) > 0 {
				return fmt.Errorf("GOMAXPROCS=%s: %s", cores, usage.Failed[0])
			}
			data, err := os.ReadFile(filepath.Join(dir, metadataName)) // the blob's digest is in it
			if err != nil {
				return err
			}
			metadata[string(data)] = true
		}
		all = append(all, figure{"different outputs of " + layer.name + " with GOMAXPROCS 1, 2 and 7", float64(len(metadata)), 1, ""})
	}
	b.figures(all...)
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
