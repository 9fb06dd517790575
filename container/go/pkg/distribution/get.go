package distribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrContent is content that is not what its descriptor says.
var ErrContent = errors.New("the registry gives out something else than what was asked for")

// headway is how far, in bytes, a download or an upload has to get beyond where it ever
// was for its tries to be counted anew.
const headway = 1 << 20

// GetBlob downloads a blob into a file, which must be empty (distribution-spec,
// "Pulling blobs"). A broken download goes on where it broke, if the server lets it.
// A blob that the registry does not have is looked for at the descriptor's URLs
// (image-spec descriptor.md), which is where foreign layers are. got is told how many
// bytes have been added; a negative number takes some back.
//
// Errors wrap ErrContent if the blob has another size or digest than d says. What is
// in the file then is of no use.
func (c *Client) GetBlob(ctx context.Context, repository string, d v1.Descriptor, file *os.File, got func(n int64)) error {
	if d.Size < 0 {
		return fmt.Errorf("%w: blob %s is said to have %d bytes", ErrContent, d.Digest, d.Size)
	}
	if d.Digest.Algorithm != "sha256" {
		return fmt.Errorf("blob %s: digests other than sha256 are not supported", d.Digest)
	}
	first := fmt.Errorf("blob %s is nowhere to be had", d.Digest)
	for i, from := range c.sources(repository, d) {
		dl := &download{client: c, repository: repository, want: d, from: from, file: file, hash: sha256.New(), report: got}
		err := dl.run(ctx)
		if err == nil {
			return nil
		}
		if i == 0 {
			first = fmt.Errorf("getting blob %s: %w", d.Digest, err)
		} else {
			first = fmt.Errorf("%w; at %s: %w", first, from.Host, err)
		}
		if ctx.Err() != nil || !IsNotFound(err) && !IsDenied(err) && i == 0 {
			return first
		}
		if err := dl.reset(); err != nil {
			return err
		}
	}
	return first
}

// sources are the addresses of a blob, the registry's own first.
func (c *Client) sources(repository string, d v1.Descriptor) []*url.URL {
	all := []*url.URL{c.url(repository, "blobs/"+d.Digest.String(), nil)}
	for _, text := range d.URLs {
		u, err := url.Parse(text)
		if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
			all = append(all, u)
		}
	}
	return all
}

// download is a blob on its way into a file.
type download struct {
	client     *Client
	repository string
	want       v1.Descriptor
	from       *url.URL
	file       *os.File
	hash       hash.Hash
	report     func(int64)

	got     int64 // bytes in the file
	resumed bool  // what is in the file came in several answers
}

func (d *download) run(ctx context.Context) error {
	var furthest int64
	for attempt := 1; ; attempt++ {
		err := d.more(ctx)
		if err == nil {
			err = d.verify()
		}
		if err == nil {
			return nil
		}
		if d.got >= furthest+headway {
			furthest, attempt = d.got, 1
		}
		switch {
		case d.resumed && (errors.Is(err, ErrContent) || status(err) == http.StatusRequestedRangeNotSatisfiable):
			// The parts may be of different things. Once more, in one piece.
			if attempt >= d.client.retry.Attempts {
				return err
			}
			if rerr := d.reset(); rerr != nil {
				return rerr
			}
			d.resumed = false
		case !d.client.retry.again(attempt, err):
			return err
		}
		if err := d.client.pause(ctx, attempt, err); err != nil {
			return err
		}
	}
}

// more asks for what is missing (RFC 9110, 14.2) and appends it.
func (d *download) more(ctx context.Context) error {
	// A server that labels a gzip layer as a gzip-encoded tar is not to have it decoded.
	header := http.Header{"Accept-Encoding": {"identity"}}
	if d.got > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", d.got))
		d.resumed = true
	}
	resp, err := d.client.once(ctx, request{
		repository: d.repository,
		method:     http.MethodGet,
		url:        d.from,
		header:     header,
		expect:     []int{http.StatusOK, http.StatusPartialContent},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := d.position(resp); err != nil {
		return err
	}
	if resp.StatusCode == http.StatusOK && resp.ContentLength >= 0 && resp.ContentLength != d.want.Size {
		return fmt.Errorf("%w: a blob of %d bytes, where the manifest says %d", ErrContent, resp.ContentLength, d.want.Size)
	}
	// One byte more than there should be tells that there is too much.
	body := io.LimitReader(answer{resp.Body}, d.want.Size-d.got+1)
	if _, err := io.Copy(d, body); err != nil {
		return err
	}
	switch {
	case d.got > d.want.Size:
		return fmt.Errorf("%w: a blob of more than the %d bytes that the manifest says", ErrContent, d.want.Size)
	case d.got < d.want.Size:
		return fmt.Errorf("the answer ended after %d of %d bytes: %w", d.got, d.want.Size, io.ErrUnexpectedEOF)
	}
	return nil
}

// answer is a body that is being read. Whatever ends it early, the rest may be asked
// for: net/http has many words for it, and no common type.
type answer struct{ io.Reader }

func (a answer) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = interrupted{err}
	}
	return n, err
}

type interrupted struct{ error }

func (i interrupted) Unwrap() error   { return i.error }
func (i interrupted) Temporary() bool { return true }

// position makes the file end where the answer begins.
func (d *download) position(resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		if d.got == 0 {
			return nil
		}
		d.resumed = false
		return d.reset() // the server begins from the beginning
	}
	if first, ok := rangeStart(resp.Header.Get("Content-Range")); !ok || first != d.got {
		return fmt.Errorf("%w: asked for bytes from %d on, it answered with %q", ErrProtocol, d.got, resp.Header.Get("Content-Range"))
	}
	return nil
}

// rangeStart reads the first position of a Content-Range field (RFC 9110, 14.4).
func rangeStart(text string) (int64, bool) {
	text, ok := strings.CutPrefix(text, "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(text, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return n, ok && err == nil
}

// Write appends to the file.
func (d *download) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	d.hash.Write(p[:n])
	d.got += int64(n)
	d.report(int64(n))
	return n, err
}

func (d *download) verify() error {
	if got := hex.EncodeToString(d.hash.Sum(nil)); got != d.want.Digest.Hex {
		return fmt.Errorf("%w: a blob with the digest sha256:%s", ErrContent, got)
	}
	return nil
}

func (d *download) reset() error {
	d.report(-d.got)
	d.got = 0
	d.hash.Reset()
	if err := d.file.Truncate(0); err != nil {
		return err
	}
	_, err := d.file.Seek(0, io.SeekStart)
	return err
}
