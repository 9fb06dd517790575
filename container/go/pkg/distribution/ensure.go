package distribution

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// Sizes that decide how a blob is sent, in bytes.
const (
	// Up to tiny, a blob is sent to find out whether the registry takes it at once, and
	// where it does, sent without asking: to ask would cost as much. It is not offered
	// with Expect: 100-continue, to which CNCF distribution 2 and 3 say nothing until the
	// client has stopped waiting (net/http: after a second).
	tiny = 64 << 10
	// Up to heavy, so is one that cannot be there; from heavy on, it is worth a request
	// to learn how to ask.
	heavy = 1 << 20
	// Up to modest, a blob may be sent in one request, which cannot be resumed.
	modest = 16 << 20
)

// Origin is a repository of the same registry that may have a blob.
type Origin struct {
	Repository string
	// Certain says that it has it.
	Certain bool
}

// Outcome is how a repository came to have a blob.
type Outcome int

const (
	Present  Outcome = iota // it had it already
	Mounted                 // it got it from another repository
	Uploaded                // it was sent
)

// Ensure makes sure that a repository has a blob, with as few requests and bytes as
// the registry allows. fresh says that the repository holds nothing yet.
func (c *Client) Ensure(ctx context.Context, repository string, b Blob, from Origin, fresh bool) (Outcome, error) {
	ensure := c.ensure
	if from.Certain && from.Repository != repository {
		ensure = c.fromElsewhere
	}
	outcome, err := ensure(ctx, repository, b, from.Repository, fresh)
	if err != nil {
		return 0, err
	}
	c.witness.see(repository, b.Digest)
	switch outcome {
	case Present:
		c.stats.Present.Add(1)
	case Mounted:
		c.stats.Mounted.Add(1)
	case Uploaded:
		c.stats.Uploaded.Add(1)
	}
	return outcome, nil
}

// ensure is Ensure for a blob that may be anywhere.
func (c *Client) ensure(ctx context.Context, repository string, b Blob, from string, fresh bool) (Outcome, error) {
	at, found, err := c.firstRequest(ctx, repository, b, from, fresh)
	var sent *unsure
	switch {
	case from != "" && from != repository && refused(err):
		// Who may push here may not be allowed to read there: do without.
		return c.ensure(ctx, repository, b, "", fresh)
	case errors.As(err, &sent) && c.resumable(1, err):
		err = c.again(ctx, repository, b, err)
	case err != nil:
		return 0, err
	case found && from != "" && from != repository:
		return Mounted, nil
	case found:
		return Present, nil
	case at != nil:
		err = c.upload(ctx, repository, at, b)
	}
	return Uploaded, err
}

// again uploads a blob after a first request about it that failed in passing, when
// the registry may have taken the blob all the same.
func (c *Client) again(ctx context.Context, repository string, b Blob, err error) error {
	if err := c.pause(ctx, 1, err); err != nil {
		return err
	}
	if found, err := c.HasBlob(ctx, repository, b.Digest); found || err != nil {
		return err
	}
	return c.upload(ctx, repository, nil, b)
}

// attempt is a request that may be all that a blob needs. It tells whether the blob
// was found, or else where to upload it; if neither, the blob was uploaded.
type attempt func() (at *url.URL, found bool, err error)

// firstRequest makes the request about a blob that is most likely to be the last.
func (c *Client) firstRequest(ctx context.Context, repository string, b Blob, from string, fresh bool) (at *url.URL, found bool, err error) {
	if from == "" {
		from = repository // asks whether it is there already
	}
	nothing := fresh && from == repository
	ask := func() (*url.URL, bool, error) {
		at, err := c.begin(ctx, repository, b.Digest, from)
		return at, at == nil && err == nil, err
	}
	offer := func() (*url.URL, bool, error) { return c.mountOrPost(ctx, repository, b, from) }
	if nothing {
		ask = func() (*url.URL, bool, error) {
			at, err := c.begin(ctx, repository, b.Digest, "")
			return at, false, err
		}
	}
	if nothing || b.Size() <= tiny {
		offer = func() (*url.URL, bool, error) {
			at, err := c.post(ctx, repository, b)
			return at, false, err
		}
	}
	switch {
	case b.Size() <= tiny, nothing && b.Size() <= heavy:
		return c.tryOffer(offer, ask)
	case !nothing && b.Size() >= heavy && !c.canMount(ctx):
		if found, err = c.HasBlob(ctx, repository, b.Digest); found || err != nil {
			return nil, found, err
		}
		at, err = c.begin(ctx, repository, b.Digest, "")
		return at, false, err
	case b.Size() <= modest && c.traits.onePost.is(true):
		return offer()
	}
	return ask()
}

// tryOffer sends a blob in one request where the registry takes that, and learns
// whether it does.
func (c *Client) tryOffer(offer, ask attempt) (at *url.URL, found bool, err error) {
	takes, learned := c.traits.onePost.get(func() (value, known bool) {
		at, found, err = offer()
		return at == nil, err == nil && !found
	})
	switch {
	case learned:
		return at, found, err
	case takes:
		return offer()
	default:
		return ask()
	}
}

// mountOrPost asks to mount a blob and, in the same request, offers its content,
// which is sent only if the registry wants it (RFC 9110, 10.1.1).
func (c *Client) mountOrPost(ctx context.Context, repository string, b Blob, from string) (at *url.URL, found bool, err error) {
	offered := &watched{Content: b.Content}
	at, err = c.send(ctx, repository, Blob{b.Digest, offered}, url.Values{
		"mount":  {b.Digest.String()},
		"from":   {from},
		"digest": {b.Digest.String()},
	}, http.Header{"Expect": {"100-continue"}})
	return at, at == nil && err == nil && !offered.read.Load(), err
}

// canMount tells whether the registry mounts blobs, finding it out by one that is
// known to be somewhere. An optimist until there is one.
func (c *Client) canMount(ctx context.Context) bool {
	if c.traits.mounts.is(true) {
		return true
	}
	repository, digest, ok := c.witness.any()
	if !ok {
		return !c.traits.mounts.is(false)
	}
	value, _ := c.traits.mounts.get(func() (bool, bool) {
		at, err := c.begin(ctx, repository, digest, repository)
		return at == nil, err == nil
	})
	return value
}

// fromElsewhere is Ensure for a blob that another repository of the registry has.
func (c *Client) fromElsewhere(ctx context.Context, repository string, b Blob, from string, _ bool) (_ Outcome, err error) {
	var at *url.URL
	mounts, learned := c.traits.mounts.get(func() (value, known bool) {
		at, err = c.begin(ctx, repository, b.Digest, from)
		return at == nil, err == nil
	})
	if !learned && mounts {
		at, err = c.begin(ctx, repository, b.Digest, from)
	}
	switch {
	case refused(err):
		at = nil // who may push here may not be allowed to read there
	case err != nil:
		return 0, err
	case mounts && at == nil:
		return Mounted, nil
	}
	// Where blobs are not mounted they may be found in every repository.
	if found, err := c.HasBlob(ctx, repository, b.Digest); found || err != nil {
		return Present, err
	}
	return Uploaded, c.upload(ctx, repository, at, b)
}
