package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

const (
	example     = "examples/insecure_push"
	buildFile   = "cmd/BUILD.bazel"
	readme      = "README.md"
	exampleHost = "127.0.0.2:5000" // the registry in the example and in README.md
	repository  = "team/app"
	tag         = "v1.0.0"
)

// demo is one run of the demonstration.
type demo struct {
	out  io.Writer
	dir  string // the copy of the example
	addr string // HOST:PORT of the registry
	bazel
}

// run shows everything, narrated to out.
func run(ctx context.Context, out io.Writer) (err error) {
	release, err := workspace.FindRelease()
	if err != nil {
		return err
	}
	registry, err := registries.Memory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, registry.Close()) }()

	root, err := os.MkdirTemp("", "demo-")
	if err != nil {
		return err
	}
	// Debian's Bazel wants no symbolic link in the way to its workspace.
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return err
	}
	d := &demo{out: out, dir: filepath.Join(root, "workspace"), addr: registry.Addr()}
	d.bazel = newBazel(d.dir, root)
	defer func() { err = errors.Join(err, d.shutdown(), os.RemoveAll(root)) }()

	replacements := release.Replacements()
	replacements[exampleHost] = d.addr
	if err := workspace.Copy(d.dir, example, replacements); err != nil {
		return fmt.Errorf("copying %s (the demo runs from the root of the checkout): %w", example, err)
	}
	for _, step := range []func(context.Context) error{d.refused, d.oneLine, d.pushed, d.readBack} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say("That is all. The workspace, Bazel's server and the registry are gone again.")
	return nil
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "\n# "+format+"\n", args...)
}

// refused shows a push to a registry that speaks plain HTTP, unannounced.
func (d *demo) refused(ctx context.Context) error {
	d.say("A registry listens on %s. It speaks plain HTTP.", d.addr)
	d.say("This is cmd/BUILD.bazel of a workspace that was written for rules_docker:")
	text, err := os.ReadFile(filepath.Join(d.dir, buildFile))
	if err != nil {
		return err
	}
	fmt.Fprint(d.out, indent(string(text)))
	d.say("Pushing speaks verified HTTPS unless told otherwise, so this fails, and says what to do:")
	output, code, err := d.push(ctx)
	if err != nil {
		return err
	}
	if code != 1 {
		return fmt.Errorf("the push ended with exit code %d instead of 1", code)
	}
	return mention(output, "http: server gave HTTP response to HTTPS client", "insecure_repository = True", "//cmd:image-push")
}

// oneLine adds the attribute to the BUILD file.
func (d *demo) oneLine(context.Context) error {
	path := filepath.Join(d.dir, buildFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed, diff, err := addAttribute(string(text))
	if err != nil {
		return err
	}
	d.say("So add that line:")
	fmt.Fprint(d.out, indent(diff))
	return os.WriteFile(path, []byte(changed), 0o644)
}

// pushed shows the same push again.
func (d *demo) pushed(ctx context.Context) error {
	d.say("And push again:")
	output, code, err := d.push(ctx)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("the push ended with exit code %d", code)
	}
	return mention(output, fmt.Sprintf("Successfully pushed Docker image to %[1]s/%[2]s:%[3]s - %[1]s/%[2]s@sha256:", d.addr, repository, tag))
}

// push runs the target and shows what the user sees of it.
func (d *demo) push(ctx context.Context) (output string, code int, err error) {
	args := []string{"--define=IMAGE_TAG=" + tag, "//cmd:image-push"}
	fmt.Fprintf(d.out, "    $ bazel run %s\n", strings.Join(args, " "))
	output, code, err = d.run(ctx, "run", append([]string{"--show_result=0"}, args...)...)
	fmt.Fprint(d.out, indent(output))
	fmt.Fprintf(d.out, "    (exit code %d)\n", code)
	if err != nil {
		return output, code, err
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		return output, code, err
	}
	// As it would be in README.md's example, and on a machine with a system.
	example := strings.NewReplacer(d.addr, exampleHost, workspace.System(d.home), "", d.home, "~").Replace(output)
	return output, code, quoted(string(text), example)
}

// readBack asks the registry for what it has now.
func (d *demo) readBack(ctx context.Context) error {
	d.say("The registry has it. Its manifest:")
	ref, err := name.NewTag(d.addr+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		return err
	}
	image, err := remote.Image(ref, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("reading the image back: %w", err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		return fmt.Errorf("reading the manifest back: %w", err)
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprint(d.out, indent(string(text)))
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	built, err := os.ReadFile(filepath.Join(d.dir, "bazel-bin/cmd/image-push.digest"))
	if err != nil {
		return err
	}
	if string(built) != digest.String() {
		return fmt.Errorf("bazel-bin/cmd/image-push.digest is %s, the registry has %s", built, digest)
	}
	fmt.Fprintf(d.out, "    Its digest is the one in bazel-bin/cmd/image-push.digest: %s\n", digest)
	return nil
}
