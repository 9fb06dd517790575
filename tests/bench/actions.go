package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/images"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/measure"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/bench/tools"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// What docs/design.md gives for rules_docker's actions with local spawns, and for
// `tar | pigz -6` of the same files on the same machine, which was another than this.
const (
	rulesDocker     = 1.7  // seconds
	rulesDockerPigz = 0.55 // seconds
)

// build is one way to build an image in Bazel.
type build struct {
	bazel, spawns string
	targets       []string
}

func (b build) String() string { return fmt.Sprintf("Bazel %s, %s", b.bazel, b.spawns) }

// actions builds an image of many small files after each change of one of them, with
// the release archive, and reads how long Bazel says that the actions took.
func (b *bench) actions(ctx context.Context) (err error) {
	dir, remove, err := b.scratch("actions")
	if err != nil {
		return err
	}
	defer remove()
	archive, err := tools.Release(ctx, dir)
	if err != nil {
		return err
	}
	release, err := workspace.OpenRelease(archive)
	if err != nil {
		return err
	}
	var builds []build
	bazels := map[string]bazel{}
	for _, version := range []string{"4.2.3", "7.7.1"} {
		one, err := newBazel(filepath.Join(dir, version), version, release)
		if err != nil {
			return err
		}
		defer one.shutdown()
		bazels[version] = one
		image, plain := []string{"//:image.digest"}, []string{"//:image", "//:image.digest"}
		builds = append(builds, build{version, "local", image}, build{version, "sandboxed", image}, build{version, "local, and the plain tar", plain})
	}
	random, critical := images.Random(2), map[string][]float64{}
	for round := -1; round < b.rounds; round++ { // the first is not counted: it builds from nothing
		for _, one := range builds {
			where := bazels[one.bazel]
			changed := filepath.Join(where.workspace, "tree", "data", "000", "00")
			if err := os.Remove(changed); err != nil {
				return err
			}
			if err := writeRandom(changed, random, 4<<10); err != nil {
				return err
			}
			seconds, err := where.build(ctx, one)
			if err != nil {
				return err
			}
			b.say("actions, round %d of %d: %s %.2f s", round+1, b.rounds, one, seconds)
			if round >= 0 {
				critical[one.String()] = append(critical[one.String()], seconds)
			}
		}
		peer := zipped(filepath.Join(bazels["4.2.3"].workspace, "tree"), filepath.Join(dir, "theirs"))
		usage, err := b.launcher.Run(ctx, measure.Task{Commands: []measure.Command{peer.command}})
		if err != nil {
			return err
		}
		if round >= 0 {
			critical[pigz] = append(critical[pigz], usage.Wall.Seconds())
		}
	}
	b.reportActions(builds, critical)
	return nil
}

// reportActions prints the critical paths, in seconds.
func (b *bench) reportActions(builds []build, critical map[string][]float64) {
	fmt.Fprintf(b.out, "\nAn image of 10,000 random files of 4 KiB, one of which has changed:\n\n")
	b.row([]string{"spawns", "critical path", "x `tar \\| pigz -6`", "rules_docker there"})
	b.row(make([]string, 4))
	theirs := map[string]string{"local": "1.7 s", "sandboxed": "2.7 s"}
	for _, one := range builds {
		ratio, _ := measure.Ratio(critical[one.String()], critical[pigz])
		b.row([]string{one.String(), seconds(measure.Median(critical[one.String()])), fmt.Sprintf("%.2f", ratio), cmp.Or(theirs[one.spawns], "not measured")})
	}
	b.row([]string{pigz, seconds(measure.Median(critical[pigz])), "1.00", seconds(rulesDockerPigz)})
	for _, one := range builds {
		if one.spawns != "local" {
			continue
		}
		ratio, _ := measure.Ratio(critical[one.String()], critical[pigz])
		b.figures(
			figure{one.String() + ", critical path against 1/4 of rules_docker's, of another machine", measure.Median(critical[one.String()]), rulesDocker / 4, "s"},
			figure{"the same, both by `tar | pigz -6` on their machines", ratio, rulesDocker / rulesDockerPigz / 4, "x"},
		)
	}
}

// bazel is a Bazel in a workspace of its own.
type bazel struct {
	launcher, workspace, root string
	settings                  []string // of every build
}

// newBazel makes the workspace in dir. The environment variable BAZEL_4 or BAZEL_7 names
// the launcher.
func newBazel(dir, version string, release workspace.Release) (bazel, error) {
	b := bazel{workspace: filepath.Join(dir, "workspace"), root: filepath.Join(dir, "root")}
	variable := "BAZEL_" + version[:1]
	if b.launcher = os.Getenv(variable); b.launcher == "" {
		return b, fmt.Errorf("the environment variable %s must name Bazel %s; make bench sets it", variable, version)
	}
	if version[:1] != "4" {
		b.settings = []string{"--noenable_bzlmod", "--enable_workspace"}
	}
	if err := workspace.Copy(b.workspace, "tests/bench/workspace", release.Replacements()); err != nil {
		return b, err
	}
	_, err := small(filepath.Join(b.workspace, "tree"))
	return b, err
}

// criticalPath is in what Bazel says at the end.
var criticalPath = regexp.MustCompile(`Critical Path: ([0-9.]+)s`)

// build builds, and returns the seconds of the critical path.
func (b bazel) build(ctx context.Context, what build) (float64, error) {
	strategy := "local"
	if what.spawns == "sandboxed" {
		strategy = what.spawns
	}
	args := append([]string{"build", "--color=no", "--curses=no", "--spawn_strategy=" + strategy}, b.settings...)
	var said bytes.Buffer
	if err := b.run(ctx, &said, append(args, what.targets...)...); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", what, err, &said)
	}
	found := criticalPath.FindSubmatch(said.Bytes())
	if found == nil {
		return 0, fmt.Errorf("%s says nothing of its critical path:\n%s", what, &said)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

func (b bazel) shutdown() {
	_ = b.run(context.Background(), io.Discard, "shutdown") // at the latest it ends by itself
}

func (b bazel) run(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, b.launcher, append([]string{"--output_user_root=" + b.root, "--max_idle_secs=120"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.workspace, out, out
	return cmd.Run()
}
