package registry

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Grammar is what a reference has to look like (distribution-spec, "Pulling
// manifests"), for messages.
const Grammar = "HOST[:PORT]/REPOSITORY[:TAG|@sha256:DIGEST], with the repository in lower-case letters, digits, " +
	"'.', '_', '-' and '/', and at most 128 letters, digits, '.', '_' and '-' in the tag"

var (
	errScheme = errors.New("a registry is written without http:// or https://; " +
		"insecure_repository, or --insecure-repository, is what allows plain HTTP")
	errUserinfo = errors.New("a registry is written without user and password, which everyone could read there; " +
		"log in with docker login, or name a folder with a config.json by --client-config-dir")
	errSlash    = errors.New("every '/' stands between two names, and neither is \".\" or \"..\"")
	errNoHost   = errors.New("no registry is in front of the first '/'; set what its name comes from")
	errTagStart = errors.New("a tag begins with a letter, a digit or '_'")
)

// Parse reads a reference. A missing registry is Docker Hub's, a missing tag latest.
// Errors show no password.
func Parse(text string) (name.Reference, error) {
	ref, err := Reference(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a reference of the form %s: %w", HidePassword(text), Grammar, err)
	}
	return ref, nil
}

// Reference is Parse for callers that say themselves what text is and what it has to
// look like.
func Reference(text string) (name.Reference, error) {
	switch {
	case strings.Contains(text, "://"):
		return nil, errScheme
	case HidePassword(text) != text:
		return nil, errUserinfo
	case strings.HasPrefix(text, "/"):
		return nil, errNoHost
	}
	ref, err := name.ParseReference(text)
	if err != nil {
		return nil, err
	}
	if err := check(ref); err != nil {
		return nil, err
	}
	return ref, nil
}

// check finds what go-containerregistry lets pass and no registry does.
func check(ref name.Reference) error {
	if _, port, err := net.SplitHostPort(ref.Context().RegistryStr()); err == nil {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("port %s is not between 1 and 65535", port)
		}
	}
	for _, part := range strings.Split(ref.Context().RepositoryStr(), "/") {
		if part == "" || part == "." || part == ".." {
			return errSlash
		}
	}
	if tag, ok := ref.(name.Tag); ok && strings.IndexAny(tag.TagStr(), "-.") == 0 {
		return errTagStart
	}
	return nil
}

// TidySlashes leaves out slashes at the ends of a registry or a repository, and all but
// one of several in a row. Most registries do the same.
func TidySlashes(text string) string {
	if strings.Contains(text, "://") {
		return text // which is no registry
	}
	return strings.Trim(slashes.ReplaceAllString(text, "/"), "/")
}

// TidyReference is TidySlashes for a whole reference, but for slashes at its beginning: a
// registry is missing there, and what would be left is a name of Docker Hub's.
func TidyReference(text string) string {
	tidy := TidySlashes(text)
	if strings.HasPrefix(text, "/") {
		return "/" + tidy
	}
	return tidy
}

var slashes = regexp.MustCompile("/{2,}")

// userinfo is USER:PASSWORD@ in front of a host. A password may hold a slash, unless what
// is in front of that could be a host and its port.
var (
	userinfo = regexp.MustCompile(`^([a-zA-Z]+://)?([^/]*@|[^/@:\[]*:[^/@]*[^/@0-9].*@)`)
	digest   = regexp.MustCompile(`@sha256:[^/@]*$`)
)

// HidePassword takes user and password out of a text that should be a reference.
func HidePassword(text string) string {
	reference := digest.ReplaceAllString(text, "")
	found := userinfo.FindStringSubmatch(reference)
	if found == nil {
		return text
	}
	return found[1] + "[redacted]@" + text[len(found[0]):]
}
