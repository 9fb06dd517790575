// Package pusher is the program that pushes the images of a plan, or the one that
// its command line describes. It takes the options that rules_docker's pusher took.
package pusher

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/launch"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/stamp"
)

// Exit codes of Run.
const (
	exitOK          = 0
	exitFailure     = 1
	exitInterrupted = 130 // as a shell reports a program that SIGINT ended
)

// Params are what Run gets from its process.
type Params struct {
	Argv0  string    // to find the plan and the runfiles by
	Args   []string  // without the program's name
	Stdout io.Writer // gets what was asked for, by -explain; every other line is a message
	Stderr io.Writer
	Getenv func(string) string
	// UserAgent goes with every request.
	UserAgent string
	// Registry holds further settings of the client, for tests; its rules, keychain,
	// user agent and notices are Run's, and so is its patience unless it is set.
	Registry registry.Options
	// Retry says how often and when requests are repeated.
	Retry distribution.Retry
}

// Run pushes, and returns the exit code: 0, 1 if anything failed, or 130 if ctx was
// cancelled. Everything it has to say goes to Stderr.
func Run(ctx context.Context, p Params) int {
	f, err := parseFlags(p.Args, p.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitFailure
	}
	err = run(ctx, p, f)
	switch {
	case ctx.Err() != nil && err != nil:
		fmt.Fprintln(p.Stderr, "interrupted")
		return exitInterrupted
	case errors.Is(err, errReported):
		return exitFailure
	case err != nil:
		fmt.Fprintf(p.Stderr, "ERROR: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// errReported says that images failed and that their errors have been printed.
var errReported = errors.New("images failed")

// task is one image on its way.
type task struct {
	plan   spec.Push // with the command line's overrides
	format push.Format
	dst    destination
	image  *push.Image
}

func run(ctx context.Context, p Params, f *flags) error {
	doc, resolve, err := readPlan(p, f)
	if err != nil {
		return err
	}
	tasks, configDir, err := prepareAll(doc, p, f, resolve)
	if err != nil {
		return err
	}
	keychain := registry.NewKeychain(configDir, p.Getenv)
	host := hostconfig.New(hostconfig.Env{Getenv: p.Getenv})
	var (
		meter    distribution.Meter
		stats    distribution.Stats
		progress push.Progress
	)
	if isTerminal(p.Stderr) && !f.quiet && !f.dryRun && !f.access.Explain {
		s := newScreen(p.Stderr, len(tasks), &progress, &meter)
		defer s.stop()
		p.Stderr = s
	}
	opts := clientOptions(p, f, keychain, &meter)
	if err := setAccess(&opts, p, f, tasks, host); err != nil {
		return err
	}
	if f.access.Explain {
		opts.Notify = nil // it is said in its place
		return explain(ctx, p.Stdout, tasks, registry.New(opts), keychain, host)
	}
	if err := checkBlocked(tasks, host); err != nil {
		return err
	}
	jobs := jobsOf(tasks)
	planner := push.Planner{Client: registry.New(opts), Sequential: doc.Sequential, Retry: p.Retry, Stats: &stats, Progress: &progress}
	report := &reporter{out: p.Stderr, quiet: f.quiet, keychain: keychain, host: host}
	if f.dryRun {
		return report.preview(ctx, planner, tasks, jobs)
	}
	var file *summaryFile
	if f.json != "" && f.json != "-" {
		if file, err = openSummary(f.json, p.Getenv("BUILD_WORKING_DIRECTORY")); err != nil {
			return err
		}
		defer file.discard()
	}
	start := time.Now()
	results, err := report.finish(ctx, planner, tasks, jobs)
	if f.json == "" {
		return err
	}
	write := file.write
	if f.json == "-" {
		write = func(s Summary) error { return s.write(p.Stdout) }
	}
	if written := write(summary(tasks, results, &stats, meter.Sent(), time.Since(start))); written != nil {
		fmt.Fprintf(p.Stderr, "ERROR: %v\n", written)
		return errors.Join(errReported, err)
	}
	return err
}

func jobsOf(tasks []task) []push.Job {
	jobs := make([]push.Job, len(tasks))
	for i, t := range tasks {
		jobs[i] = push.Job{
			Image:         t.image,
			Ref:           t.dst.ref,
			SkipUnchanged: t.plan.SkipUnchangedDigest,
			Base:          base(t.plan),
			BaseLayers:    t.plan.BaseLayers,
		}
	}
	return jobs
}

// base is the repository that an image's base was pulled from. Where it cannot be
// told, layers are not mounted from there, and that is all.
func base(image spec.Push) name.Repository {
	if image.BaseRegistry == "" || image.BaseRepository == "" {
		return name.Repository{}
	}
	repo, err := name.NewRepository(registry.TidySlashes(image.BaseRegistry + "/" + image.BaseRepository))
	if err != nil {
		return name.Repository{}
	}
	return repo
}

// readPlan finds what there is to push: the plan beside the program or, without
// one, the image of the command line.
func readPlan(p Params, f *flags) (spec.PushPlan, launch.Resolver, error) {
	found, ok := launch.Find(p.Argv0)
	planned := ok && found.Kind == launch.Push
	// An empty value is a script's unset variable, and does not mean the plan's.
	switch {
	case f.dst == "" && (!planned || f.given["dst"]):
		return spec.PushPlan{}, nil, errNoDst
	case f.format == "" && (!planned || f.given["format"]):
		return spec.PushPlan{}, nil, errNoFormat
	case !f.image.Given() && (!planned || f.given["config"] || f.given["tarball"]):
		return spec.PushPlan{}, nil, imageflags.ErrNoImage
	}
	if !planned {
		return spec.PushPlan{Images: []spec.Push{{Format: f.format}}}, launch.Runfiles(p.Argv0, p.Getenv), nil
	}
	doc, err := spec.Read[spec.PushPlan](found.Path)
	if err != nil {
		return spec.PushPlan{}, nil, err
	}
	if len(doc.Images) != 1 {
		for _, name := range []string{"dst", "tarball", "config", "manifest", "layer"} {
			if f.given[name] {
				return spec.PushPlan{}, nil, fmt.Errorf("-%s is for one image, and %s pushes %d; "+
					"run the target of the image that is meant", name, found.Program, len(doc.Images))
			}
		}
	}
	return doc, launch.Runfiles(found.Program, p.Getenv), nil
}

// prepareAll settles everything about a plan that can be known without a registry, and
// says what it stamped. It also returns the directory of the docker configuration, "" for
// the user's.
func prepareAll(doc spec.PushPlan, p Params, f *flags, resolve launch.Resolver) ([]task, string, error) {
	tasks := make([]task, len(doc.Images))
	configDir := f.configDir
	for i, image := range doc.Images {
		var err error
		if tasks[i], err = prepare(image, f, resolve); err != nil {
			return nil, "", err
		}
		if configDir == "" && !f.given["client-config-dir"] {
			configDir = image.ClientConfigDir
		}
		if d := tasks[i].dst; d.written != d.text && !f.quiet {
			fmt.Fprintf(p.Stderr, "Destination %s was resolved to %s after stamping.\n", d.written, d.text)
		}
	}
	configDir, err := checkConfigDir(configDir, p.Getenv("BUILD_WORKING_DIRECTORY"))
	return tasks, configDir, err
}

// prepare settles everything about an image that can be known without a registry.
func prepare(image spec.Push, f *flags, resolve launch.Resolver) (task, error) {
	if f.format != "" {
		image.Format = f.format
	}
	image.InsecureRepository = pick(f, "insecure-repository", f.access.Insecure, image.InsecureRepository)
	image.SkipUnchangedDigest = pick(f, "skip-unchanged-digest", f.skip, image.SkipUnchangedDigest)
	t := task{plan: image}
	var err error
	if t.format, err = push.ParseFormat(image.Format); err != nil {
		return task{}, fmt.Errorf("%s: format: %w", subject(image), err)
	}
	s, err := readStamps(image, f, resolve)
	if err != nil {
		return task{}, err
	}
	if f.dst != "" {
		t.dst, err = wholeDestination("-dst", f.dst, image, s)
	} else {
		t.dst, err = planDestination(image, resolve, s)
	}
	if err != nil {
		return task{}, err
	}
	if f.image.Given() {
		t.image, err = f.image.Load(t.format)
	} else {
		t.image, err = push.FromPlan(image, resolve)
	}
	if err != nil && image.Target != "" {
		return task{}, fmt.Errorf("%s: %w", image.Target, err)
	}
	return t, err
}

// pick is the flag's value if it was given, which may be "=false", and the plan's
// otherwise.
func pick(f *flags, name string, flag, plan bool) bool {
	if f.given[name] {
		return flag
	}
	return plan
}

// readStamps returns nil without status files.
func readStamps(image spec.Push, f *flags, resolve launch.Resolver) (stamper, error) {
	var paths []string
	for _, file := range image.StampFiles {
		path, err := resolve(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", subject(image), errStamper, err)
		}
		paths = append(paths, path)
	}
	paths = append(paths, f.stampFiles...)
	if len(paths) == 0 {
		return nil, nil
	}
	s, err := stamp.Read(paths...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", subject(image), errStamper, err)
	}
	return s, nil
}

func clientOptions(p Params, f *flags, keychain *registry.Keychain, meter *distribution.Meter) registry.Options {
	opts := p.Registry
	opts.Keychain = keychain
	opts.UserAgent = p.UserAgent
	opts.InFlight = f.jobs
	if opts.Patience == 0 {
		opts.Patience = time.Minute
	}
	if opts.DialContext == nil {
		opts.DialContext = registry.Dial
	}
	opts.DialContext = meter.Wrap(opts.DialContext)
	opts.Notify = func(line string) {
		if !f.quiet {
			fmt.Fprintln(p.Stderr, line)
		}
	}
	return opts
}
