package compress

import "github.com/klauspost/compress/zstd"

// zstdBlock is the size of the independent frames of a zstd blob. A reader treats
// frames that follow each other as one stream (RFC 8878, section 3).
const zstdBlock = 1 << 20

type zstdCodec struct{ level int }

func (zstdCodec) blockSize() int { return zstdBlock }
func (zstdCodec) dictSize() int  { return 0 }
func (zstdCodec) header() []byte { return nil }
func (zstdCodec) trailer(_ uint32, size int64) []byte {
	if size > 0 {
		return nil
	}
	// A stream of nothing still needs a frame: single segment, no content, one
	// empty raw block that is the last.
	return []byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0}
}

func (c zstdCodec) newEncoder() (encoder, error) {
	level := zstd.SpeedDefault
	if c.level != 0 {
		level = zstd.EncoderLevelFromZstd(c.level)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level),
		zstd.WithWindowSize(zstdBlock), zstd.WithLowerEncoderMem(true))
	return zstdEncoder{enc}, err
}

type zstdEncoder struct{ enc *zstd.Encoder }

func (e zstdEncoder) encode(dst, _, block []byte) ([]byte, error) {
	return e.enc.EncodeAll(block, dst), nil
}
