package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// What can be wrong with a registry, as far as a user can do something about it.
// errors.Is finds them in the errors of Explain.
var (
	ErrPlainHTTP          = errors.New("the registry speaks plain HTTP")
	ErrUnknownAuthority   = errors.New("the registry's certificate is signed by an unknown authority")
	ErrCertificate        = errors.New("the registry's certificate is not valid for it")
	ErrClientCertificate  = errors.New("the registry does not accept the client's certificate")
	ErrProxy              = errors.New("the proxy does not let requests through to the registry")
	ErrNotRegistry        = errors.New("what answers is no registry")
	ErrRefused            = errors.New("the registry refuses connections")
	ErrUnknownHost        = errors.New("the registry's name cannot be resolved")
	ErrTimeout            = errors.New("the registry does not answer")
	ErrNoCredentials      = errors.New("the registry asks for credentials, and none were found")
	ErrCredentialsRefused = errors.New("the registry refused the credentials")
	ErrDenied             = errors.New("the registry denied access")
	ErrNameUnknown        = errors.New("the registry does not know the repository")
	ErrNameInvalid        = errors.New("the registry does not accept the repository's name")
	ErrTooLarge           = errors.New("the registry does not take requests of that size")
	ErrTooManyRequests    = errors.New("the registry limits the rate of requests")
	ErrServer             = errors.New("the registry failed")
)

// Error is a failure to get something from, or to, a registry.
type Error struct {
	Host string
	// Kind is one of the errors of this package, or nil when nothing is known about
	// the failure but its text.
	Kind error
	// Status is the HTTP status of the answer, 0 without one.
	Status int

	detail string // with every secret taken out
	cause  error
}

// Error says what failed without any secret.
func (e *Error) Error() string { return e.detail }

// Unwrap gives access to the kind and to the original error, whose text may hold
// secrets and must not be printed.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.cause}
	}
	return []error{e.Kind, e.cause}
}

// Explain finds out what err, from a request about repo, means. It returns nil for
// nil, and an *Error that is safe to print for everything else.
func (c *Client) Explain(repo name.Repository, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	text := err.Error()
	if _, rest, ok := strings.Cut(text, errNotTried.Error()+"; "); ok {
		text = rest
	}
	e := &Error{Host: repo.RegistryStr(), cause: err, detail: oneLine(c.secrets.redact(text))}
	var answer *transport.Error
	if errors.As(err, &answer) {
		e.Status = answer.StatusCode
		if code := strconv.Itoa(e.Status); !strings.Contains(e.detail, code) {
			e.detail = "HTTP " + code + ": " + e.detail
		}
		e.Kind = answerKind(answer, c.anonymous(repo))
	} else {
		e.Kind = connectionKind(err)
	}
	return e
}

// answerKind reads an HTTP answer (distribution-spec, "Error codes").
func answerKind(e *transport.Error, anonymous bool) error {
	switch {
	case hasCode(e, transport.NameInvalidErrorCode):
		return ErrNameInvalid
	case hasCode(e, transport.NameUnknownErrorCode):
		return ErrNameUnknown
	case e.StatusCode == http.StatusUnauthorized && anonymous,
		e.StatusCode == http.StatusForbidden && anonymous:
		return ErrNoCredentials
	case e.StatusCode == http.StatusUnauthorized:
		return ErrCredentialsRefused
	case e.StatusCode == http.StatusForbidden:
		return ErrDenied
	case e.StatusCode == http.StatusRequestEntityTooLarge:
		return ErrTooLarge
	case e.StatusCode == http.StatusProxyAuthRequired:
		return ErrProxy
	case e.StatusCode == http.StatusTooManyRequests:
		return ErrTooManyRequests
	case e.StatusCode >= 500:
		return ErrServer
	case e.StatusCode/100 == 2, e.Request != nil && e.Request.URL.Path == "/v2/" && len(e.Errors) == 0:
		// Done, and yet not as the specification says; or there is no such endpoint.
		return ErrNotRegistry
	}
	return nil
}

func hasCode(e *transport.Error, code transport.ErrorCode) bool {
	for _, d := range e.Errors {
		if d.Code == code {
			return true
		}
	}
	return false
}

// connectionKind reads an error that came instead of an answer.
func connectionKind(err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		dns       *net.DNSError
		timeout   net.Error
		record    tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, errProxyRefused), isProxyDown(err):
		return ErrProxy
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/",
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return ErrPlainHTTP
	case errors.As(err, &record), strings.Contains(err.Error(), "malformed HTTP"):
		return ErrNotRegistry
	case errors.As(err, &host), errors.As(err, &invalid):
		return ErrCertificate
	case errors.As(err, &authority), errors.As(err, &verify):
		return ErrUnknownAuthority
	case strings.Contains(err.Error(), "remote error: tls:") && strings.Contains(err.Error(), "certificate"):
		return ErrClientCertificate
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrRefused
	case errors.As(err, &dns):
		return ErrUnknownHost
	case errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	}
	return nil
}

var errProxyRefused = errors.New("the proxy refuses to connect")

// connected reads the answer of a proxy that was asked to connect to a host: net/http
// would make nothing of it but the words of its status.
func connected(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return fmt.Errorf("%w: %s answers %s", errProxyRefused, proxy.Host, answer.Status)
}

// oneLine keeps a page of HTML that some proxy answered with from filling a screen.
func oneLine(text string) string {
	const limit = 600
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > limit {
		text = fmt.Sprintf("%s... (%d bytes more)", text[:limit], len(text)-limit)
	}
	return text
}
