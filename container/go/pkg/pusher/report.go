package pusher

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/push"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// reporter tells the user what became of each image.
type reporter struct {
	out      io.Writer
	quiet    bool // print errors only
	keychain *registry.Keychain
	host     *hostconfig.Config
	advised  map[string]bool // advice that was given already
	failed   int
}

// finish pushes and reports. It returns errReported if any image failed.
func (r *reporter) finish(ctx context.Context, engine push.Engine, tasks []task, jobs []push.Job) ([]push.Result, error) {
	results := engine.Push(ctx, jobs, func(i int, result push.Result) {
		if r.quiet {
			return
		}
		for _, warning := range result.Warnings {
			fmt.Fprintln(r.out, warning)
		}
		if result.Err == nil {
			r.success(tasks[i], result)
		}
	})
	if ctx.Err() != nil {
		return results, ctx.Err()
	}
	// The errors come last, where a user looks first.
	for i, result := range results {
		if result.Err != nil && !errors.Is(result.Err, push.ErrNotRun) {
			r.failure(tasks[i], result.Err)
		}
	}
	for i, result := range results {
		if errors.Is(result.Err, push.ErrNotRun) {
			fmt.Fprintf(r.out, "%s: %v\n", subject(tasks[i].plan), push.ErrNotRun)
		}
	}
	if r.failed > 0 {
		return results, errReported
	}
	return results, nil
}

// preview reports what a push would do. It returns errReported if that cannot be
// told of any image.
func (r *reporter) preview(ctx context.Context, planner push.Planner, tasks []task, jobs []push.Job) error {
	previews := planner.Preview(ctx, jobs)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, p := range previews {
		t := tasks[i]
		switch {
		case p.Err != nil:
			r.failure(t, p.Err)
		case p.Unchanged:
			fmt.Fprintf(r.out, "%s is %s already\n", t.dst.text, t.image.Digest)
		default:
			var size int64
			for _, blob := range p.Missing {
				size += blob.Size
			}
			fmt.Fprintf(r.out, "Would push %s image %s to %s: %d bytes in %d blobs, %d blobs are there or sent for another image\n",
				t.format, t.image.Digest, t.dst.text, size, len(p.Missing), p.Present)
			for _, blob := range p.Missing {
				fmt.Fprintf(r.out, "    %s %12d %s\n", blob.Digest, blob.Size, blob.MediaType)
			}
		}
	}
	if r.failed > 0 {
		return errReported
	}
	return nil
}

func (r *reporter) success(t task, result push.Result) {
	where := t.dst.text
	pinned := fmt.Sprintf("%s@%s", repository(t.dst.text), t.image.Digest)
	if t.dst.text == pinned {
		pinned = ""
	}
	switch {
	case result.Tagged:
		fmt.Fprintf(r.out, "Skipping push of unchanged digest\n%s is in the registry already, and now tagged %s\n", pinned, where)
	case result.Skipped && pinned != "":
		fmt.Fprintf(r.out, "Skipping push of unchanged digest\n%s is %s already\n", where, pinned)
	case result.Skipped:
		fmt.Fprintf(r.out, "Skipping push of unchanged digest\n%s is in the registry already\n", where)
	case pinned != "":
		fmt.Fprintf(r.out, "Successfully pushed %s image to %s - %s\n", t.format, where, pinned)
	default:
		fmt.Fprintf(r.out, "Successfully pushed %s image to %s\n", t.format, where)
	}
}

// failure prints what failed and, unless the same was said of another image, what
// to do about it.
func (r *reporter) failure(t task, err error) {
	r.failed++
	fmt.Fprintf(r.out, "ERROR: %s: cannot push to %s: %s\n", subject(t.plan), t.dst.text, headline(t, err))
	text := advice(t, err, r.keychain, r.host)
	if text == "" || r.advised[text] {
		return
	}
	if r.advised == nil {
		r.advised = map[string]bool{}
	}
	r.advised[text] = true
	fmt.Fprintln(r.out, text)
}
