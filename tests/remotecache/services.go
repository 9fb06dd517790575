package remotecache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Numbers below are those of the fields in remote_execution.proto and bytestream.proto.

// chunk is how many bytes of a blob are sent in one message.
const chunk = 1 << 20

func (c *Cache) getCapabilities(_ context.Context, s *stream) error {
	if _, err := s.receive(); err != nil {
		return err
	}
	const sha256Function, absoluteLinksAllowed, majorVersion = 1, 2, 2
	var cache, update, version, answer message
	update.number(1, 1) // update_enabled
	cache.number(1, sha256Function)
	cache.bytes(2, update)
	cache.number(5, absoluteLinksAllowed)
	version.number(1, majorVersion)
	answer.bytes(1, cache)
	answer.bytes(4, version) // the lowest version that is understood
	answer.bytes(5, version) // the highest
	return s.send(answer)
}

// digestOf reads the field of a request that holds a Digest, and returns its hash.
func digestOf(digest []byte) (string, error) {
	fields, err := parse(digest)
	if err != nil {
		return "", err
	}
	for _, f := range fields {
		if f.tag == 1 {
			return string(f.data), nil
		}
	}
	return "", fmt.Errorf("%w: a digest without a hash", errInvalid)
}

func (c *Cache) getActionResult(_ context.Context, s *stream) error {
	request, err := s.request()
	if err != nil {
		return err
	}
	action, err := digestOf(request[2])
	if err != nil {
		return err
	}
	result, ok := c.result(action)
	if !ok {
		return fmt.Errorf("%w: the result of action %s", errNotFound, action)
	}
	return s.send(result)
}

func (c *Cache) updateActionResult(_ context.Context, s *stream) error {
	request, err := s.request()
	if err != nil {
		return err
	}
	action, err := digestOf(request[2])
	if err != nil {
		return err
	}
	c.storeResult(action, request[3])
	return s.send(request[3])
}

func (c *Cache) findMissingBlobs(_ context.Context, s *stream) error {
	fields, err := s.receiveFields()
	if err != nil {
		return err
	}
	var answer message
	for _, f := range fields {
		if f.tag != 2 {
			continue
		}
		digest, err := digestOf(f.data)
		if err != nil {
			return err
		}
		if !c.has(digest) {
			answer.bytes(2, f.data)
		}
	}
	return s.send(answer)
}

// resourceDigest finds the hash in INSTANCE/blobs/HASH/SIZE or
// INSTANCE/uploads/ID/blobs/HASH/SIZE.
func resourceDigest(name string) (string, error) {
	_, rest, ok := strings.Cut("/"+name, "/blobs/")
	digest, _, sized := strings.Cut(rest, "/")
	if !ok || !sized {
		return "", fmt.Errorf("%w: resource %q", errInvalid, name)
	}
	return digest, nil
}

func (c *Cache) read(_ context.Context, s *stream) error {
	fields, err := s.receiveFields()
	if err != nil {
		return err
	}
	var name string
	var offset, limit uint64
	for _, f := range fields {
		switch f.tag {
		case 1:
			name = string(f.data)
		case 2:
			offset = f.number
		case 3:
			limit = f.number
		}
	}
	digest, err := resourceDigest(name)
	if err != nil {
		return err
	}
	blob, ok := c.blob(digest)
	if !ok {
		return fmt.Errorf("%w: blob %s", errNotFound, digest)
	}
	if offset > uint64(len(blob)) {
		return fmt.Errorf("%w: offset %d in a blob of %d bytes", errInvalid, offset, len(blob))
	}
	blob = blob[offset:]
	if limit > 0 && limit < uint64(len(blob)) {
		blob = blob[:limit]
	}
	for len(blob) > 0 {
		n := min(chunk, len(blob))
		var answer message
		answer.bytes(10, blob[:n])
		if err := s.send(answer); err != nil {
			return err
		}
		blob = blob[n:]
	}
	return nil
}

func (c *Cache) write(_ context.Context, s *stream) error {
	var name string
	var blob []byte
	for {
		fields, err := s.receiveFields()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for _, f := range fields {
			switch f.tag {
			case 1:
				name = string(f.data)
			case 10:
				blob = append(blob, f.data...)
			}
		}
	}
	digest, err := resourceDigest(name)
	if err != nil {
		return err
	}
	if err := c.storeBlob(digest, blob); err != nil {
		return err
	}
	var answer message
	answer.number(1, uint64(len(blob)))
	return s.send(answer)
}
