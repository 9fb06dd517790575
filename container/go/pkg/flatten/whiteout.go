package flatten

import (
	"path"
	"strings"
)

// Names that hide something (OCI image-spec, layer.md, "Whiteouts"). What else begins
// with metaPrefix is AUFS's own and means nothing in an image.
const (
	whiteoutPrefix = ".wh."
	metaPrefix     = ".wh..wh."
	opaqueName     = ".wh..wh..opq"
)

// whiteout hides path or, if it is opaque, all that is in the folder path.
type whiteout struct {
	path   string
	opaque bool
}

func isWhiteout(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, metaPrefix) {
			return true // what is below AUFS's folders too
		}
	}
	return strings.HasPrefix(path.Base(name), whiteoutPrefix)
}

// parseWhiteout tells what a member hides; false if that is nothing.
func parseWhiteout(name string) (whiteout, bool) {
	dir, base := path.Split(name)
	if base == opaqueName {
		return whiteout{path: path.Clean(dir), opaque: true}, true
	}
	if !strings.HasPrefix(base, whiteoutPrefix) || isWhiteout(dir) || strings.HasPrefix(base, metaPrefix) {
		return whiteout{}, false
	}
	hidden := strings.TrimPrefix(base, whiteoutPrefix)
	if hidden == "" || hidden == "." || hidden == ".." {
		return whiteout{}, false
	}
	return whiteout{path: path.Join(dir, hidden)}, true
}
