// Package jsontext says where a JSON text is wrong.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Locate returns err, which came of reading text, together with the line that it is
// about, if it is one of encoding/json's.
func Locate(text []byte, err error) error {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
		offset int64
	)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	before := text[:min(max(offset, 0), int64(len(text)))]
	return fmt.Errorf("line %d: %w", bytes.Count(before, []byte("\n"))+1, err)
}
