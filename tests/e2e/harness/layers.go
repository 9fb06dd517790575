package harness

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Entry is what a member of a layer comes down to.
type Entry struct {
	Name    string // without a leading "./" or "/", "." for the root
	Type    byte   // tar.TypeReg and so on
	Mode    int64
	UID     int
	GID     int
	MTime   int64 // seconds since the epoch
	Link    string
	Content string // of a short text file; "sha256:<hex>" of anything longer
	// Attributes are the extended attributes, KEY=VALUE in the order of the keys.
	Attributes string
}

func (e Entry) String() string {
	return fmt.Sprintf("%c %04o %d:%d @%d %s -> %q %q %q", e.Type, e.Mode, e.UID, e.GID, e.MTime, e.Name, e.Link, e.Content, e.Attributes)
}

// maxText is the length up to which Entry.Content is the content itself.
const maxText = 100

// Entries lists the members of a tar in their order.
func Entries(t *testing.T, data []byte) []Entry {
	t.Helper()
	var entries []Entry
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatalf("reading a layer: %v", err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("reading %s of a layer: %v", h.Name, err)
		}
		entries = append(entries, Entry{
			Name: cleanName(h.Name), Type: h.Typeflag, Mode: h.Mode, UID: h.Uid, GID: h.Gid,
			MTime: h.ModTime.Unix(), Link: h.Linkname, Content: text(content),
			Attributes: attributes(h.PAXRecords),
		})
	}
}

// attributes picks the extended attributes out of pax records.
func attributes(records map[string]string) string {
	var found []string
	for key, value := range records {
		if strings.HasPrefix(key, "SCHILY.xattr.") {
			found = append(found, key+"="+value)
		}
	}
	slices.Sort(found)
	return strings.Join(found, "\n")
}

// cleanName drops what says nothing: "./a/", "/a" and "a" are one path in a layer.
func cleanName(name string) string {
	if name = path.Clean("/" + name); name == "/" {
		return "."
	}
	return name[1:]
}

func text(content []byte) string {
	if len(content) <= maxText {
		return string(content)
	}
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Digest returns what Entry.Content is for a file with this content.
func Digest(content []byte) string { return text(content) }

// Uncompress returns the tar in a layer blob: gzip, zstd or plain.
func Uncompress(t *testing.T, blob []byte) []byte {
	t.Helper()
	var data []byte
	var err error
	switch {
	case bytes.HasPrefix(blob, []byte{0x1f, 0x8b}):
		var r io.Reader
		if r, err = gzip.NewReader(bytes.NewReader(blob)); err == nil {
			data, err = io.ReadAll(r)
		}
	case bytes.HasPrefix(blob, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(blob)); err == nil {
			data, err = io.ReadAll(d)
			d.Close()
		}
	default:
		data = blob
	}
	if err != nil {
		t.Fatalf("reading a layer: %v", err)
	}
	return data
}

// Gzip compresses data.
func Gzip(t *testing.T, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// Member is a header and the content of a tar member.
type Member struct {
	tar.Header
	Content string
}

// Tar makes an archive. Sizes are filled in.
func Tar(t *testing.T, members ...Member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		m.Size = int64(len(m.Content))
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.Content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
