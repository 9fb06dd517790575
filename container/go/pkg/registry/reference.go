package registry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Grammar is what a reference has to look like (distribution-spec, "Pulling
// manifests"), for messages.
const Grammar = "HOST[:PORT]/REPOSITORY[:TAG|@sha256:DIGEST], with the repository in lower-case letters, digits, " +
	"'.', '_', '-' and '/', and at most 128 letters, digits, '.', '_' and '-' in the tag"

// ErrUserinfo is a reference that begins with a user and a password, which it does not
// repeat.
var ErrUserinfo = errors.New("there is a user before the registry, which is written without one; docker login keeps passwords")

// CheckUserinfo returns ErrUserinfo for a reference that begins with a user.
func CheckUserinfo(text string) error {
	if host, _, ok := strings.Cut(text, "/"); ok && strings.Contains(host, "@") {
		return ErrUserinfo
	}
	return nil
}

// Parse reads a reference. A missing registry is Docker Hub's, a missing tag latest.
func Parse(text string) (name.Reference, error) {
	if err := CheckUserinfo(text); err != nil {
		return nil, err
	}
	ref, err := name.ParseReference(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a reference of the form %s: %w", text, Grammar, err)
	}
	return ref, nil
}
