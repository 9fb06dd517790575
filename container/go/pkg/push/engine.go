package push

import (
	"context"
	"errors"

	"github.com/google/go-containerregistry/pkg/name"
)

// Errors that are not the registry's words.
var (
	// ErrWrongDigest is a destination by digest that is not the image's.
	ErrWrongDigest = errors.New("the destination's digest is not the image's")
	// ErrNotRun is a job after one that failed, of a sequential run.
	ErrNotRun = errors.New("not pushed, because an earlier image failed")
)

// Job is one image and where it goes.
type Job struct {
	Image *Image
	Ref   name.Reference
	// SkipUnchanged asks for the image's digest instead of its tag, and sends nothing
	// but the tag if the repository has it.
	SkipUnchanged bool
	// Base is the repository that the image's base was pulled from; its zero value is
	// an unknown one. The image's first BaseLayers layers are mounted from it where it
	// is on the same registry.
	Base       name.Repository
	BaseLayers int
}

// Result tells what became of a job.
type Result struct {
	Unchanged bool // the tag named the image already
	Skipped   bool // the repository had the manifest already, and SkipUnchanged was set
	Tagged    bool // Skipped, and the tag had to be set
	// Warnings are things that went wrong without harming the push.
	Warnings []string
	Err      error // nil, or an error that is safe to print
}

// Engine transfers images. Push returns one result per job, in their order, and
// calls done, if not nil, as soon as each of them is known, one call at a time.
type Engine interface {
	Push(ctx context.Context, jobs []Job, done func(i int, r Result)) []Result
}
