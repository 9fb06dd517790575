package remotecache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Errors that a client is told by their code (grpc.github.io/grpc/core/md_doc_statuscodes.html).
var (
	errInvalid       = errors.New("invalid argument")
	errNotFound      = errors.New("not found")
	errUnimplemented = errors.New("unimplemented")
)

func statusCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInvalid):
		return 3
	case errors.Is(err, errNotFound):
		return 5
	case errors.Is(err, errUnimplemented):
		return 12
	}
	return 13
}

// maxMessage bounds the messages that are read, in bytes; gRPC's own limit is 4 MiB.
const maxMessage = 16 << 20

// stream is one call: messages come in and go out.
type stream struct {
	body io.Reader
	out  http.ResponseWriter
}

// receive returns the next message, and io.EOF after the last. Each is preceded by a
// byte that says whether it is compressed and four bytes of its length.
func (s *stream) receive() ([]byte, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(s.body, prefix[:]); err != nil {
		return nil, err // io.EOF between messages
	}
	length := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || length > maxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes, compression %d", errInvalid, length, prefix[0])
	}
	message := make([]byte, length)
	_, err := io.ReadFull(s.body, message)
	return message, err
}

// receiveFields is receive for a message whose fields matter.
func (s *stream) receiveFields() ([]field, error) {
	data, err := s.receive()
	if err != nil {
		return nil, err
	}
	return parse(data)
}

func (s *stream) send(message []byte) error {
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	if _, err := s.out.Write(prefix); err != nil {
		return err
	}
	_, err := s.out.Write(message)
	return err
}

// method implements a method of a service.
type method func(ctx context.Context, s *stream) error

// ServeHTTP is gRPC over HTTP/2: how a call ended is in the trailer.
func (call method) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	w.WriteHeader(http.StatusOK)
	err := call(r.Context(), &stream{body: r.Body, out: w})
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", fmt.Sprint(statusCode(err)))
	if err != nil {
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", url.PathEscape(err.Error()))
	}
}
