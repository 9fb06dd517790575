package compress

type plainCodec struct{}

func (plainCodec) blockSize() int               { return gzipBlock }
func (plainCodec) dictSize() int                { return 0 }
func (plainCodec) header() []byte               { return nil }
func (plainCodec) trailer(uint32, int64) []byte { return nil }
func (plainCodec) newEncoder() (encoder, error) { return plainEncoder{}, nil }

type plainEncoder struct{}

func (plainEncoder) encode(dst, _, block []byte) ([]byte, error) {
	return append(dst, block...), nil
}
