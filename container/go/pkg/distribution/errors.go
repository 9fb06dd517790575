package distribution

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// ErrProtocol is an answer that the distribution-spec does not allow.
var ErrProtocol = errors.New("the registry broke the protocol")

// ErrDigest is content that the registry has under another digest than it was
// pushed with.
var ErrDigest = errors.New("the registry holds something else than what was pushed")

// ErrUnread is a manifest that was put and whose digest the registry does not tell.
var ErrUnread = errors.New("the registry does not let the manifest be read back")

// delayed is a failure together with how long the registry asked to wait.
type delayed struct {
	error
	after time.Duration
}

func (d *delayed) Unwrap() error { return d.error }

// Delayed is err together with how long the answer that it stands for asks to wait, if
// it does.
func Delayed(err error, answer http.Header) error {
	if after, ok := retryAfter(answer.Get("Retry-After"), now); ok {
		return &delayed{error: err, after: after}
	}
	return err
}

// unsure is the failure of a request that may have stored a blob all the same.
type unsure struct{ error }

func (u *unsure) Unwrap() error { return u.error }

// restarting is the failure to connect to a registry that has answered before.
type restarting struct{ error }

func (r *restarting) Unwrap() error { return r.error }

// declined tells whether err may mean that the registry does not know the way in which
// a blob was sent, which the distribution-spec leaves to it.
func declined(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusLengthRequired,
		http.StatusUnsupportedMediaType, http.StatusExpectationFailed, http.StatusNotImplemented:
		return true
	}
	return false
}

// status is the HTTP status of the answer that err is, or 0.
func status(err error) int {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// hasCode tells whether err is an answer with one of the distribution-spec's error
// codes.
func hasCode(err error, codes ...transport.ErrorCode) bool {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, d := range answer.Errors {
		for _, code := range codes {
			if d.Code == code {
				return true
			}
		}
	}
	return false
}

// IsNotFound tells whether err is the answer 404.
func IsNotFound(err error) bool { return status(err) == http.StatusNotFound }

// IsDenied tells whether err is an answer that says that one may not ask.
func IsDenied(err error) bool {
	return status(err) == http.StatusUnauthorized || status(err) == http.StatusForbidden
}

// IsPassing tells whether err may be gone a moment later. Of a Client's errors, it is that
// of the last of several tries. One that was kept from trying is not.
func IsPassing(err error) bool {
	return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && passing(err)
}

// IsBadRequest tells whether err is the answer 400. Registries have many codes for content
// that does not have the digest it was sent under, and that status for all.
func IsBadRequest(err error) bool { return status(err) == http.StatusBadRequest }

// IsBlobUnknown tells whether err is the refusal of a manifest because the repository
// does not have what it names.
func IsBlobUnknown(err error) bool {
	return hasCode(err, transport.ManifestBlobUnknownErrorCode, transport.BlobUnknownErrorCode)
}
