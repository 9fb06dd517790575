// Package commands is the programs that rules_docker had beside those that speak to
// registries, under its names and with its flags, for rules that name them. Each puts
// its flags into the words of the package that does the work.
package commands

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
)

// ErrUsage is a command line that cannot be understood.
var ErrUsage = errors.New("usage")

// Params are what a command gets from its process.
type Params struct {
	Args           []string // without the command's name
	Stdout, Stderr io.Writer
}

// command is one program.
type command struct {
	about string // what it does, as a sentence
	// words describes the arguments that are no flags, "" if there may be none.
	words string
	// define registers the flags and returns what to do once they are parsed.
	define func(*flag.FlagSet) action
	// lists tells that an argument @FILE stands for the lines of a file.
	lists bool
}

// action does what a command is for. args are the words behind the flags.
type action func(ctx context.Context, p Params, args []string) error

func commands() map[string]command {
	return map[string]command{
		"build_tar":           {"Makes the tar of a layer.", "", buildTar, true},
		"compare_ids_test":    {"Fails unless all images have one id.", "ARCHIVE...", compareIDs, false},
		"create_image_config": {"Makes the configuration of an image.", "", createImageConfig, false},
		"digester":            {"Writes the digest of an image's manifest.", "", digester, false},
		"extract_config":      {"Takes the configuration out of a docker-save archive.", "", extractConfig, false},
		"extract_image_id":    {"Prints the id of the image in a docker-save archive.", "ARCHIVE", extractImageID, false},
		"extract_last_layer":  {"Takes the topmost layer out of a docker-save archive.", "ARCHIVE LAYER DIFF_ID", extractLastLayer, false},
		"flattener":           {"Merges the layers of an image into one tar.", "", flattener, false},
		"join_layers":         {"Makes a docker-save archive.", "", joinLayers, false},
		"sha256":              {"Writes the hex sha256 of a file.", "INPUT OUTPUT", sha256Sum, false},
		"zipper":              {"Compresses a file by gzip, or decompresses one.", "", zipper, false},
	}
}

// Names are the names of all commands, sorted.
func Names() []string { return slices.Sorted(maps.Keys(commands())) }

// Run runs the command of a name that is one of Names. Errors name the command; they
// match ErrUsage where the command line cannot be understood.
func Run(ctx context.Context, name string, p Params) error {
	if err := run(ctx, name, p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func run(ctx context.Context, name string, p Params) error {
	c, ok := commands()[name]
	if !ok {
		return fmt.Errorf("%w: there is no such command", ErrUsage)
	}
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	do := c.define(set)
	args := p.Args
	var err error
	if c.lists {
		if args, err = expandLists(args); err != nil {
			return err
		}
	}
	words, err := parse(set, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(p.Stderr, "%s\nUsage: %s [FLAG...] %s\n", c.about, name, c.words)
		set.SetOutput(p.Stderr)
		set.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w; see %s -help for the flags that there are", ErrUsage, err, name)
	case c.words == "" && len(words) > 0:
		return fmt.Errorf("%w: unexpected argument %q; options begin with a dash", ErrUsage, words[0])
	}
	return do(ctx, p, words)
}

// parse reads flags wherever they stand, as the Python programs among upstream's did.
func parse(set *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := set.Parse(args); err != nil || set.NArg() == 0 {
			return words, err
		}
		words = append(words, set.Arg(0))
		args = set.Args()[1:]
	}
}

// expandLists replaces @FILE by the lines of FILE, which Bazel writes where a command
// line would get too long.
func expandLists(args []string) ([]string, error) {
	var expanded []string
	for _, arg := range args {
		path, ok := strings.CutPrefix(arg, "@")
		if !ok {
			expanded = append(expanded, arg)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading arguments: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			expanded = append(expanded, strings.TrimRight(line, "\r\n"))
		}
	}
	return expanded, nil
}

// require fails where a flag that must be given is empty.
func require(set *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if set.Lookup(name).Value.String() == "" {
			return imageflags.Line(fmt.Sprintf("Required option -%s was not specified.", name))
		}
	}
	return nil
}

// scratch makes a folder beside an output, where there is room, and gives it to fn.
func scratch(output string, fn func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(output), ".scratch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return fn(dir)
}
