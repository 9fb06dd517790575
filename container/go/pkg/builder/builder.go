// Package builder is the program that build actions run: layers, configurations,
// manifests, digests and archives. It reads its declared inputs only and never the
// network.
package builder

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sort"
	"strings"
)

// ErrUsage says that the program was called wrongly.
var ErrUsage = errors.New("usage")

// A command is one thing that the builder can do. It registers its flags and
// returns what to do once they are parsed.
type command func(*flag.FlagSet) func(context.Context) error

// commands by name; docs/design.md section 11 describes them.
func commands(warn io.Writer) map[string]command {
	return map[string]command{
		"layer":      func(f *flag.FlagSet) func(context.Context) error { return layerCommand(f, warn) },
		"blob":       blobCommand,
		"decompress": decompressCommand,
		"image":      imageCommand,
		"digest":     digestCommand,
		"tarball":    tarballCommand,
		"unpack":     unpackCommand,
		"flatten":    flattenCommand,
	}
}

// Run runs the command that args name, e.g. ["layer", "--spec", ...]. Warnings go
// to stderr.
func Run(ctx context.Context, args []string, stderr io.Writer) error {
	known := commands(stderr)
	if len(args) == 0 {
		return fmt.Errorf("%w: builder COMMAND [FLAG ...]; the commands are %s", ErrUsage, names(known))
	}
	cmd, ok := known[args[0]]
	if !ok {
		return fmt.Errorf("%w: builder has no command %q; the commands are %s", ErrUsage, args[0], names(known))
	}
	flags := flag.NewFlagSet("builder "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run := cmd(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("%w: builder %s: %w", ErrUsage, args[0], err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: builder %s takes flags only, not %q", ErrUsage, args[0], flags.Args())
	}
	return run(ctx)
}

func names(known map[string]command) string {
	list := make([]string, 0, len(known))
	for name := range known {
		list = append(list, name)
	}
	sort.Strings(list)
	return strings.Join(list, ", ")
}

// require fails where a flag that must be given is empty.
func require(flags *flag.FlagSet, names ...string) error {
	for _, name := range names {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%w: %s needs --%s", ErrUsage, flags.Name(), name)
		}
	}
	return nil
}
