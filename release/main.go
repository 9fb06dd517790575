// Command release makes the archive that users name in http_archive or archive_override.
//
// Run it from the root of the checkout: go run ./release. See docs/release.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/backendcloud/rules_docker_for_insecure_registries/release/bundle"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("root", ".", "the checkout to release")
	dist := flags.String("out", "dist", "the folder to write to, relative to --root unless absolute")
	names := flags.String("platforms", "", "comma-separated subset such as linux_amd64; the result is marked -dev")
	prebuilt := flags.Bool("prebuilt", false, "build only this machine's program, into prebuilt/ of the checkout")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: only flags are understood", flags.Arg(0))
	}
	version, err := bundle.ReadVersion(*root)
	if err != nil {
		return err
	}
	if *prebuilt {
		host := bundle.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}
		path, err := bundle.Prebuild(ctx, *root, version, host)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, path)
		return nil
	}
	options := bundle.Options{Root: *root, Out: *dist, Version: version, Limit: bundle.MaxSize}
	if !filepath.IsAbs(options.Out) {
		options.Out = filepath.Join(*root, options.Out)
	}
	if *names != "" {
		options.Dev = true
		if options.Platforms, err = bundle.ParsePlatforms(*names); err != nil {
			return err
		}
	} else {
		options.Platforms = bundle.Platforms()
	}
	result, err := bundle.Make(ctx, options)
	if err != nil {
		return err
	}
	fmt.Fprint(out, result.Notes())
	fmt.Fprintf(out, "\n%s  %s (%.1f of %.0f MB)\n", result.SHA256(), result.Path,
		float64(result.Size)/1e6, float64(options.Limit)/1e6)
	return nil
}
