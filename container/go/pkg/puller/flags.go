package puller

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/pull"
)

// errUsage is a command line that cannot be understood; what is wrong with it has
// been printed.
var errUsage = errors.New("usage")

// line is an error in words that scripts may look for, since upstream's puller
// printed them.
type line string

func (l line) Error() string { return string(l) }

const (
	errNoName      line = "Required option -name was not specified."
	errNoDirectory line = "Required option -directory was not specified."
	errPull        line = "Image pull was unsuccessful"
)

// defaultTimeout is in seconds.
const defaultTimeout = 600

// flags are the options of the command line.
type flags struct {
	name      string
	directory string
	configDir string
	cache     string
	shared    string
	platform  pull.Platform
	timeout   int
	access    access.Flags
	target    string
}

// silence is how long a server may send nothing.
func (f *flags) silence() time.Duration { return time.Duration(f.timeout) * time.Second }

// insecureReason is who declared the registry insecure.
func (f *flags) insecureReason() string {
	if f.target == "" {
		return "--insecure-repository"
	}
	return "insecure_repository"
}

// words is a flag that holds words with spaces between them.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(value string) error {
	*w = strings.Fields(value)
	return nil
}

// parseFlags reads the command line; both -flag and --flag will do.
func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	f := &flags{access: access.Flags{Named: true}}
	set := flag.NewFlagSet("puller", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.name, "name", "", "`reference` to pull: host/repository:tag or host/repository@digest")
	set.StringVar(&f.directory, "directory", "", "`directory` to put the image into")
	set.StringVar(&f.configDir, "client-config-dir", "", "`directory` of a docker config.json to take credentials from")
	set.StringVar(&f.cache, "cache", "", "`directory` in which blobs are kept for other pulls")
	set.StringVar(&f.shared, "shared", "", "`directory` by which pulls share what they have; -cache wins over it")
	set.StringVar(&f.platform.Architecture, "architecture", "", "`architecture` of the image to take of an index (default amd64)")
	set.StringVar(&f.platform.OS, "os", "", "operating `system` of the image to take of an index (default linux)")
	set.StringVar(&f.platform.OSVersion, "os-version", "", "`version` of the operating system to take of an index")
	set.Var((*words)(&f.platform.OSFeatures), "os-features", "`features` of the operating system that the image must name, separated by spaces")
	set.StringVar(&f.platform.Variant, "variant", "", "CPU `variant` of the image to take of an index")
	set.Var((*words)(&f.platform.Features), "features", "`features` of the CPU that the image must name, separated by spaces")
	set.IntVar(&f.timeout, "timeout", defaultTimeout, "how many `seconds` the registry may send nothing")
	f.access.Register(set, "pull")
	set.StringVar(&f.target, "target", "", "`name` of the container_pull, for messages")
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stderr, "Pulls an image from a registry into a directory.")
		set.SetOutput(stderr)
		set.PrintDefaults()
		return nil, err
	}
	switch {
	case err != nil:
		err = fmt.Errorf("%w; see -help for the flags that there are", err)
	case set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q; options begin with a dash", set.Arg(0))
	case f.name == "":
		err = errNoName
	case f.directory == "" && !f.access.Explain:
		err = errNoDirectory
	case f.timeout <= 0:
		err = fmt.Errorf("-timeout %d: it has to be a number of seconds above 0", f.timeout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "ERROR: %v\n", err)
		return nil, errUsage
	}
	if f.platform.Architecture == "" {
		f.platform.Architecture = "amd64"
	}
	if f.platform.OS == "" {
		f.platform.OS = "linux"
	}
	return f, nil
}
