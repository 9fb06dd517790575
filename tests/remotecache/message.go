package remotecache

import (
	"encoding/binary"
	"fmt"
)

// message is a message of protocol buffers in the making (protobuf.dev/programming-guides/encoding).
type message []byte

// Kinds of fields on the wire.
const (
	kindNumber = 0
	kindFixed8 = 1
	kindBytes  = 2
	kindFixed4 = 5
)

func (m *message) number(tag int, value uint64) {
	*m = binary.AppendUvarint(*m, uint64(tag)<<3|kindNumber)
	*m = binary.AppendUvarint(*m, value)
}

func (m *message) bytes(tag int, value []byte) {
	*m = binary.AppendUvarint(*m, uint64(tag)<<3|kindBytes)
	*m = binary.AppendUvarint(*m, uint64(len(value)))
	*m = append(*m, value...)
}

// field is one field of a message: data for texts, bytes and messages, number else.
type field struct {
	tag    int
	number uint64
	data   []byte
}

// parse returns the fields of a message in their order; their data shares its memory.
func parse(m []byte) ([]field, error) {
	var fields []field
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		if n <= 0 {
			return nil, fmt.Errorf("%w: a message is cut off", errInvalid)
		}
		m = m[n:]
		f := field{tag: int(key >> 3)}
		length := uint64(0)
		switch key & 7 {
		case kindNumber:
			if f.number, n = binary.Uvarint(m); n <= 0 {
				return nil, fmt.Errorf("%w: field %d is cut off", errInvalid, f.tag)
			}
			m = m[n:]
		case kindBytes:
			if length, n = binary.Uvarint(m); n <= 0 {
				return nil, fmt.Errorf("%w: field %d is cut off", errInvalid, f.tag)
			}
			m = m[n:]
		case kindFixed8:
			length = 8
		case kindFixed4:
			length = 4
		default:
			return nil, fmt.Errorf("%w: field %d of kind %d", errInvalid, f.tag, key&7)
		}
		if length > uint64(len(m)) {
			return nil, fmt.Errorf("%w: field %d is cut off", errInvalid, f.tag)
		}
		f.data, m = m[:length], m[length:]
		fields = append(fields, f)
	}
	return fields, nil
}

// request receives a message none of whose fields is repeated: their data by number.
func (s *stream) request() (map[int][]byte, error) {
	fields, err := s.receiveFields()
	if err != nil {
		return nil, err
	}
	byTag := map[int][]byte{}
	for _, f := range fields {
		byTag[f.tag] = f.data
	}
	return byTag, nil
}
