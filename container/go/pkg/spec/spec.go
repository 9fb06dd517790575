// Package spec holds the JSON documents that a Bazel rule writes and one of the
// project's programs reads. They are the only contract between Starlark and Go:
// each document carries a version, unknown fields are errors, and the paths in it
// are relative to the working directory (build actions) or are runfiles paths
// (anything that "bazel run" starts).
package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Version is the version of every document in this package. A release ships the
// rules and the programs together, so there is never more than one.
const Version = 1

// ErrVersion says that a document was written for other programs than these.
var ErrVersion = errors.New("unsupported document version")

// document is what every hand-over document can tell about itself.
type document interface{ version() int }

// Read decodes the JSON file at path into a document and checks its version.
func Read[T document](path string) (T, error) {
	var doc T
	data, err := os.ReadFile(path)
	if err != nil {
		return doc, fmt.Errorf("reading %T: %w", doc, err)
	}
	if err := Decode(data, &doc); err != nil {
		return doc, fmt.Errorf("%s: %w", path, err)
	}
	return doc, nil
}

// Decode is Read for a document that is already in memory.
func Decode[T document](data []byte, doc *T) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(doc); err != nil {
		return fmt.Errorf("decoding %T: %w", *doc, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("decoding %T: text after the document", *doc)
	}
	if v := (*doc).version(); v != Version {
		return fmt.Errorf("%w: %T has version %d, these programs read version %d; "+
			"the rules and the programs must come from one release", ErrVersion, *doc, v, Version)
	}
	return nil
}
