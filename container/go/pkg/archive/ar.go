package archive

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
)

var errAr = errors.New("not a Debian package (an ar archive), truncated, or sizes that lie")

// arMember is a file in an ar archive (ar(5), the common variant with short names,
// which deb(5) prescribes).
type arMember struct {
	name    string
	content *io.SectionReader
}

// readAr lists the members of an ar archive of the given size in bytes.
func readAr(r io.ReaderAt, size int64) ([]arMember, error) {
	magic := make([]byte, len(arMagic))
	if _, err := r.ReadAt(magic, 0); err != nil || string(magic) != arMagic {
		return nil, errAr
	}
	var members []arMember
	for pos := int64(len(arMagic)); pos < size; {
		h := make([]byte, arHeaderSize)
		if n, err := r.ReadAt(h, pos); n < len(h) {
			return nil, fmt.Errorf("%w: reading the header at byte %d: %w", errAr, pos, err)
		}
		pos += arHeaderSize
		length, err := strconv.ParseInt(strings.TrimSpace(string(h[48:58])), 10, 64)
		if err != nil || length < 0 || length > size-pos || string(h[58:]) != "`\n" {
			return nil, fmt.Errorf("%w: the header before byte %d", errAr, pos)
		}
		members = append(members, arMember{
			name:    strings.TrimSuffix(strings.TrimRight(string(h[:16]), " "), "/"),
			content: io.NewSectionReader(r, pos, length),
		})
		pos += length + length%2 // contents start at even positions
	}
	return members, nil
}
