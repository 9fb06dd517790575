package golden

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// maxText is the length, in bytes, up to which a listing shows the content of a file
// that is not JSON.
const maxText = 300

const digest = "sha256:"

// listing shows a tar as the golden files do, member by member with everything that
// its headers say. A time other than the epoch begins with @, an
// extended header record with a plus sign.
func listing(t *testing.T, data []byte) string {
	t.Helper()
	var b strings.Builder
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("reading a tar: %v", err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("reading %s of a tar: %v", h.Name, err)
		}
		b.WriteString(line(h, content))
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "no members, %s%s\n", digest, hexSum(data))
	}
	return b.String()
}

func line(h *tar.Header, content []byte) string {
	kind := map[byte]string{
		tar.TypeReg: "file", tar.TypeDir: "dir ", tar.TypeSymlink: "soft", tar.TypeLink: "hard",
		tar.TypeChar: "char", tar.TypeBlock: "blok", tar.TypeFifo: "fifo",
	}[h.Typeflag]
	s := fmt.Sprintf("%s %04o %d:%d %s", kind, h.Mode, h.Uid, h.Gid, h.Name)
	if h.Uname+h.Gname != "" {
		s += fmt.Sprintf(" owned by %s:%s", h.Uname, h.Gname)
	}
	switch h.Typeflag {
	case tar.TypeSymlink, tar.TypeLink:
		s += " -> " + h.Linkname
	case tar.TypeChar, tar.TypeBlock:
		s += fmt.Sprintf(" %d,%d", h.Devmajor, h.Devminor)
	case tar.TypeReg:
		if shown := text(content); strings.HasPrefix(shown, digest) {
			s += fmt.Sprintf(" %d %s", len(content), shown)
		} else if shown != "" {
			s += " = " + shown
		}
	}
	if !h.ModTime.Equal(time.Unix(0, 0)) {
		s += fmt.Sprintf(" @%d", h.ModTime.Unix())
		if n := h.ModTime.Nanosecond(); n != 0 {
			s += fmt.Sprintf(".%09d", n)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		s += fmt.Sprintf("\n  + %s=%s", key, text([]byte(h.PAXRecords[key])))
	}
	return s + "\n"
}

// text shows content on one line: \n and \xNN stand for what cannot be shown.
func text(content []byte) string {
	if !utf8.Valid(content) || len(content) > maxText && !json.Valid(content) {
		return digest + hexSum(content)
	}
	var b strings.Builder
	for _, r := range string(content) {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
