package compress

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/flate"
)

const (
	gzipBlock  = 256 << 10
	gzipWindow = 32 << 10 // as far as a deflate match reaches back

	// defaultLevel is one percent behind level 6 of the same library on a Debian
	// /usr/lib, five behind zlib at 6, and three times as fast on repetitive data.
	defaultLevel = 5
)

type gzipCodec struct{ level int }

func (gzipCodec) blockSize() int { return gzipBlock }
func (gzipCodec) dictSize() int  { return gzipWindow }

// header has no name and no time, and says that the operating system is unknown.
func (gzipCodec) header() []byte {
	return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
}

// trailer starts with an empty final deflate block, since no other is marked final.
func (gzipCodec) trailer(crc uint32, size int64) []byte {
	t := []byte{1, 0, 0, 0xff, 0xff}
	t = binary.LittleEndian.AppendUint32(t, crc)
	return binary.LittleEndian.AppendUint32(t, uint32(size))
}

func (c gzipCodec) newEncoder() (encoder, error) {
	level := c.level
	if level == 0 {
		level = defaultLevel
	}
	matching, err := flate.NewWriter(io.Discard, level)
	if err != nil {
		return nil, err
	}
	literal, err := flate.NewWriter(io.Discard, flate.HuffmanOnly)
	if err != nil {
		return nil, err
	}
	return &gzipEncoder{matching: matching, literal: literal}, nil
}

// gzipEncoder makes each block a run of deflate blocks that ends on a byte
// boundary, so that runs can be joined.
type gzipEncoder struct {
	matching, literal *flate.Writer
	spare             []byte
}

func (e *gzipEncoder) encode(dst, dict, block []byte) ([]byte, error) {
	out, err := deflate(e.matching, dst, dict, block)
	if err != nil || len(out) < len(block)-len(block)/32 || !skewed(block) {
		return out, err
	}
	// The library gives up early on data without repetitions, even where coding
	// frequent bytes shorter still pays, as for base64.
	second, err := deflate(e.literal, e.spare[:0], nil, block)
	if err != nil || len(second) >= len(out) {
		e.spare = second
		return out, err
	}
	e.spare = out
	return second, nil
}

func deflate(w *flate.Writer, dst, dict, block []byte) ([]byte, error) {
	buf := appender(dst)
	w.ResetDict(&buf, dict)
	if _, err := w.Write(block); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return buf, nil
}

// skewed tells by samples whether some bytes are so much more frequent than others
// that a Huffman code may pay. It computes with integers, which come out alike on
// every machine.
func skewed(block []byte) bool {
	const sample = 16 << 10
	half := len(block) / 2
	var counts [256]uint64
	for _, c := range block[:min(half, sample)] {
		counts[c]++
	}
	for _, c := range block[half:min(len(block), half+sample)] {
		counts[c]++
	}
	var total, squares uint64
	for _, n := range counts {
		total += n
		squares += n * n
	}
	// Of equally frequent bytes, the squares would add up to 1/256 of the total's.
	return squares*256 > total*total+total*total/8
}

// appender is an io.Writer to memory that is used again and again.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
