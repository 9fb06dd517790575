package registry

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
)

// Grammar is what a reference has to look like (distribution-spec, "Pulling
// manifests"), for messages.
const Grammar = "HOST[:PORT]/REPOSITORY[:TAG|@sha256:DIGEST], with the repository in lower-case letters, digits, " +
	"'.', '_', '-' and '/', and at most 128 letters, digits, '.', '_' and '-' in the tag"

// Parse reads a reference. A missing registry is Docker Hub's, a missing tag latest.
func Parse(text string) (name.Reference, error) {
	ref, err := name.ParseReference(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a reference of the form %s: %w", text, Grammar, err)
	}
	return ref, nil
}
