package archive

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const text = "some text, some text, some text"

func TestNewReader(t *testing.T) {
	zeros := strings.Repeat("\x00", 512)
	for _, c := range []struct {
		name string
		in   []byte
		want string // of the text, or of the error
		fail bool
	}{
		{"gzip", gzipText(t, text), text, false},
		{"gzip members in a row", append(gzipText(t, "a"), gzipText(t, "b")...), "ab", false},
		{"padded gzip", append(gzipText(t, text), zeros...), text, false},
		{"garbage after gzip", append(gzipText(t, text), "no gzip, though it is long enough"...), "something other than gzip or zeros", true},
		{"garbage after padding", append(gzipText(t, text), zeros+"x"...), "something other than gzip or zeros", true},
		{"truncated gzip", gzipText(t, text)[:30], "decompressing gzip (truncated or damaged?): unexpected EOF", true},
		{"xz", xzText(t, text), text, false},
		{"xz streams in a row", append(xzText(t, "a"), xzText(t, "b")...), "ab", false},
		{"padded xz", append(xzText(t, text), zeros...), text, false},
		{"truncated xz", xzText(t, text)[:60], "decompressing xz (truncated or damaged?)", true},
		// xz --x86 --lzma2, as packages with many programs are compressed.
		{"xz with a filter", xzFiltered, text, false},
		{"xz that asks for 128 MiB", emptyXz(1, 30), "", false},
		{"xz that asks for 192 MiB", emptyXz(1, 31), "decompressing xz: reading it would take more than 128 MiB of memory", true},
		{"xz that asks for 4 GiB", emptyXz(1, 40), "decompressing xz: reading it would take more than 128 MiB of memory", true},
		// Would take a minute if memory were taken anew for each of them.
		{"xz of many blocks", emptyXz(20_000, 28), "", false},
		{"zstd", zstdText(t, text), text, false},
		{"zstd that asks for 1 GiB", []byte("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00"), "decompressing zstd: reading it would take more than 128 MiB", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decompressed(c.in)
			if c.fail {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%q, error %v; want one with %q", got, err, c.want)
				}
				return
			}
			if string(got) != c.want || err != nil {
				t.Errorf("%q, error %v; want %q", got, err, c.want)
			}
		})
	}
}

// FuzzNewReader reads whatever claims to be compressed: the outcome is bytes or an error,
// and the same if it is read in small pieces.
func FuzzNewReader(f *testing.F) {
	for _, seed := range [][]byte{
		nil, xzFiltered, emptyXz(3, 10), emptyXz(1, 40), []byte("BZh91AY&SY"), []byte("\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00"),
		gzipText(f, text), append(gzipText(f, text), 0, 0, 0), xzText(f, text), zstdText(f, text),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := decompressed(in)
		r, _, again := NewReader(bytes.NewReader(in))
		if again != nil {
			if err == nil {
				t.Errorf("%v only at the second time", again)
			}
			return
		}
		defer r.Close()
		var pieces []byte
		for buf := make([]byte, 7); again == nil && len(pieces) < most; {
			var n int
			n, again = r.Read(buf)
			pieces = append(pieces, buf[:n]...)
		}
		if again == io.EOF {
			again = nil
		}
		if len(got) == most || len(pieces) >= most {
			return // what is wrong further on, one may have seen and the other not
		}
		if (err == nil) != (again == nil) || !bytes.HasPrefix(pieces, got) && err == nil {
			t.Errorf("%q, %v; in pieces %q, %v", got, err, pieces, again)
		}
	})
}

// most bounds what decompressed returns.
const most = 1 << 20

func decompressed(in []byte) ([]byte, error) {
	r, _, err := NewReader(bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(io.LimitReader(r, most))
	return got, errors.Join(err, r.Close())
}

func gzipText(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := io.WriteString(z, text)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func xzText(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := xz.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(z, text)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstdText(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

// emptyXz is an xz stream of blocks without content, each of which says how much memory
// it takes to read: (2 + size%2) << (size/2 + 11) bytes, 4 GiB for 40 (The .xz File
// Format, sections 3 to 5).
func emptyXz(blocks int, size byte) []byte {
	withSum := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }
	flags := []byte{0, 0} // no checksums of content
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(flags))

	out := append([]byte("\xfd7zXZ\x00"), append(flags, sum...)...)
	header := withSum([]byte{2, 0, 0x21, 1, size, 0, 0, 0})
	index := binary.AppendUvarint([]byte{0}, uint64(blocks))
	for range blocks {
		out = append(append(out, header...), 0, 0, 0, 0) // the end of LZMA2's chunks and padding
		index = append(index, byte(len(header)+1), 0)
	}
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = withSum(index)
	out = append(out, index...)
	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(footer))
	return append(append(out, footer...), "YZ"...)
}

// xzFiltered is what "xz --x86 --lzma2=preset=0 --check=crc32" makes of text.
var xzFiltered = []byte("\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x01\x04\x00\x21\x01\x0c\x00\xd6\x7c\x18\xaf\xe0\x00\x1e\x00\x12\x5d\x00\x39\x9b\xc9\xf2\xe7\x50\xb8\xc5\xe2\x5c\xc2\xe0\x63\x65\x7a\x45\x00\x00\x00\x00\x00\x51\xa1\xec\xc0\x00\x01\x2a\x1f\xf6\x74\xe5\xc2\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a")
