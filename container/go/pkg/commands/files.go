package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/archive"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/builder"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/compress"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
)

// fastest is the level of gzip that -fast asks for.
const fastest = 1

func zipper(set *flag.FlagSet) action {
	src := set.String("src", "", "`file` to read")
	dst := set.String("dst", "", "`file` to write")
	decompress := set.Bool("decompress", false, "decompress, whatever the file is compressed with")
	fast := set.Bool("fast", false, "compress less, and faster")
	return func(ctx context.Context, p Params, _ []string) error {
		if err := require(set, "src", "dst"); err != nil {
			return err
		}
		if *decompress {
			return builder.Run(ctx, []string{"decompress", "--in", *src, "--out", *dst}, p.Stderr)
		}
		options := compress.Options{Algorithm: compress.Gzip}
		if *fast {
			options.Level = fastest
		}
		return outfile.Write(*dst, func(w io.Writer) error { return compressFile(ctx, w, *src, options) })
	}
}

func compressFile(ctx context.Context, out io.Writer, path string, options compress.Options) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	w, err := compress.NewWriter(out, options)
	if err != nil {
		return err
	}
	_, err = archive.Copy(ctx, w, in)
	// An error of the compressor's is the cause of that of copying.
	if closed := w.Close(); closed != nil {
		return closed
	}
	return err
}

func sha256Sum(*flag.FlagSet) action {
	return func(ctx context.Context, _ Params, args []string) error {
		if len(args) != 2 {
			return fmt.Errorf("%w: it takes the file to read and the file to write, and got %d arguments", ErrUsage, len(args))
		}
		in, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		sum := sha256.New()
		if _, err := archive.Copy(ctx, sum, in); err != nil {
			return err
		}
		return outfile.WriteText(args[1], hex.EncodeToString(sum.Sum(nil)))
	}
}
