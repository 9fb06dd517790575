package archive

import (
	"errors"
	"path"
	"strings"
)

// ErrEscapes says that a name or a hard link leads out of the archive.
var ErrEscapes = errors.New("leads out of the archive")

// Clean normalises a slash-separated name: "" for the root, never a leading or
// trailing slash, no "." or "..". absolute tells whether name had a leading slash.
// A name that climbs above the root gives ErrEscapes.
func Clean(name string) (rel string, absolute bool, err error) {
	absolute = strings.HasPrefix(name, "/")
	rel = path.Clean(strings.TrimLeft(name, "/"))
	switch {
	case rel == ".":
		rel = ""
	case rel == "..", strings.HasPrefix(rel, "../"):
		return "", absolute, ErrEscapes
	}
	return rel, absolute, nil
}
