package pusher

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
)

// errUsage is a command line that cannot be understood; what is wrong with it has
// been printed.
var errUsage = errors.New("usage")

// Errors in words that scripts may look for, since upstream's pusher printed them.
const (
	errNoDst     imageflags.Line = "Required option -dst was not specified."
	errNoFormat  imageflags.Line = "Required option -format was not specified."
	errConfigDir imageflags.Line = "Failed to validate the Docker client config dir"
	errStamper   imageflags.Line = "Failed to initialize the stamper"
)

// flags are the options of the command line. Every one overrides what the plan says.
type flags struct {
	dst        string
	image      imageflags.Flags
	format     string
	configDir  string
	skip       bool
	access     access.Flags
	stampFiles imageflags.Texts
	jobs       int
	json       string
	dryRun     bool
	quiet      bool

	given map[string]bool // names of the flags that were given
}

// parseFlags reads the command line; both -flag and --flag will do.
func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	f := &flags{given: map[string]bool{}}
	set := flag.NewFlagSet("pusher", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.dst, "dst", "", "`reference` to push to: host/repository:tag or host/repository@digest; {KEY} is stamped")
	f.image.Register(set)
	set.StringVar(&f.format, "format", "", "`format` of the manifest: Docker or OCI")
	set.StringVar(&f.configDir, "client-config-dir", "", "`directory` of a docker config.json to take credentials from")
	set.BoolVar(&f.skip, "skip-unchanged-digest", false, "send nothing if the repository has the image's digest already")
	f.access.Register(set, "push")
	set.Var(&f.stampFiles, "stamp-info-file", "workspace status `file` that {KEY} in -dst is looked up in; may be repeated")
	set.IntVar(&f.jobs, "jobs", 8, "`number` of requests that may be under way at a time")
	set.StringVar(&f.json, "json", "", "`file` to write to, as JSON, what was pushed and what it took; - is the standard output")
	set.BoolVar(&f.dryRun, "dry-run", false, "say what would be pushed, and push nothing")
	set.BoolVar(&f.quiet, "quiet", false, "print errors only")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, "Pushes container images to a registry. Without a plan beside the program, "+
			"-dst, -format and one of -config and -tarball are needed.")
		set.SetOutput(stderr)
		set.PrintDefaults()
		return nil, err
	}
	if err != nil {
		fmt.Fprintf(stderr, "ERROR: %v; see -help for the flags that there are\n", err)
		return nil, errUsage
	}
	if set.NArg() > 0 {
		fmt.Fprintf(stderr, "ERROR: unexpected argument %q; options begin with a dash\n", set.Arg(0))
		return nil, errUsage
	}
	if f.jobs < 1 {
		fmt.Fprintf(stderr, "ERROR: -jobs is %d; it has to be at least 1\n", f.jobs)
		return nil, errUsage
	}
	set.Visit(func(g *flag.Flag) { f.given[g.Name] = true })
	if f.given["json"] && (f.dryRun || f.access.Explain) {
		fmt.Fprintln(stderr, "ERROR: -json is about what was pushed; -dry-run and -explain push nothing")
		return nil, errUsage
	}
	return f, nil
}

// checkConfigDir fails unless dir is a directory. bazel run changes the working
// directory, so a relative one may be meant from where the user is.
func checkConfigDir(dir, userDir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	if _, err := os.Stat(dir); err != nil && !filepath.IsAbs(dir) && userDir != "" {
		if _, err := os.Stat(filepath.Join(userDir, dir)); err == nil {
			dir = filepath.Join(userDir, dir)
		}
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	if err != nil {
		return "", fmt.Errorf("%w %q specified via --client-config-dir: %w", errConfigDir, dir, err)
	}
	return dir, nil
}
