package pusher

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
)

// errUsage is a command line that cannot be understood; what is wrong with it has
// been printed.
var errUsage = errors.New("usage")

// line is an error in words that scripts may look for, since upstream's pusher
// printed them.
type line string

func (l line) Error() string { return string(l) }

const (
	errNoDst     line = "Required option -dst was not specified."
	errNoFormat  line = "Required option -format was not specified."
	errNoImage   line = "Neither --tarball nor --config was specified."
	errParts     line = "Unable to determine parts of the image from the specified arguments"
	errReading   line = "Error reading image"
	errConfigDir line = "Failed to validate the Docker client config dir"
	errStamper   line = "Failed to initialize the stamper"
)

// flags are the options of the command line. Every one overrides what the plan says.
type flags struct {
	dst        string
	tarball    string
	config     string
	manifest   string
	format     string
	configDir  string
	skip       bool
	access     access.Flags
	layers     texts
	stampFiles texts
	jobs       int
	json       string
	dryRun     bool
	quiet      bool

	given map[string]bool // names of the flags that were given
}

// texts is a flag that may be repeated.
type texts []string

func (t *texts) String() string { return fmt.Sprint(*t) }

func (t *texts) Set(value string) error {
	*t = append(*t, value)
	return nil
}

// parseFlags reads the command line; both -flag and --flag will do.
func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	f := &flags{given: map[string]bool{}}
	set := flag.NewFlagSet("pusher", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintln(stderr, "Pushes container images to a registry. Without a plan beside the program, "+
			"-dst, -format and one of -config and -tarball are needed.")
		set.PrintDefaults()
	}
	set.StringVar(&f.dst, "dst", "", "`reference` to push to: host/repository:tag or host/repository@digest; {KEY} is stamped")
	set.StringVar(&f.tarball, "tarball", "", "docker-save `archive` of the image or, with -config, of further layers of it")
	set.StringVar(&f.config, "config", "", "`file` with the image's configuration")
	set.StringVar(&f.manifest, "manifest", "", "`file` with the base image's manifest, for its foreign layers")
	set.StringVar(&f.format, "format", "", "`format` of the manifest: Docker or OCI")
	set.StringVar(&f.configDir, "client-config-dir", "", "`directory` of a docker config.json to take credentials from")
	set.BoolVar(&f.skip, "skip-unchanged-digest", false, "send nothing if the repository has the image's digest already")
	f.access.Register(set, "push")
	set.Var(&f.layers, "layer", "a layer, as `four comma separated paths`: compressed layer, uncompressed layer, "+
		"file with the compressed layer's sha256, file with the diff id; may be repeated")
	set.Var(&f.stampFiles, "stamp-info-file", "workspace status `file` that {KEY} in -dst is looked up in; may be repeated")
	set.IntVar(&f.jobs, "jobs", 8, "`number` of requests that may be under way at a time")
	set.StringVar(&f.json, "json", "", "`file` to write to, as JSON, what was pushed and what it took; - is the standard output")
	set.BoolVar(&f.dryRun, "dry-run", false, "say what would be pushed, and push nothing")
	set.BoolVar(&f.quiet, "quiet", false, "print errors only")
	if err := set.Parse(args); err != nil {
		return nil, err
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
	return f, nil
}

// image tells whether the command line says what to push.
func (f *flags) image() bool { return f.config != "" || f.tarball != "" || len(f.layers) > 0 }

// load reads the image that the command line names.
func (f *flags) load(format push.Format) (*push.Image, error) {
	if f.config == "" && f.tarball == "" {
		return nil, errNoImage
	}
	if f.config == "" && len(f.layers) == 0 {
		img, err := push.FromTarball(f.tarball, format)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errReading, err)
		}
		return img, nil
	}
	if f.config == "" {
		return nil, fmt.Errorf("%w: --layer needs --config", errParts)
	}
	parts := push.Parts{Config: f.config, Manifest: f.manifest, Tarball: f.tarball}
	for _, value := range f.layers {
		layer, err := push.ParseLayer(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errParts, err)
		}
		parts.Layers = append(parts.Layers, layer)
	}
	img, err := push.FromParts(parts, format)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReading, err)
	}
	return img, nil
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
