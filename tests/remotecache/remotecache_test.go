package remotecache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// client calls methods as a client of gRPC does.
type client struct {
	t    *testing.T
	http *http.Client
	url  string
}

func newClient(t *testing.T) (*Cache, client) {
	t.Helper()
	c, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return c, client{t, &http.Client{Transport: transport}, strings.Replace(c.URL(), "grpc:", "http:", 1)}
}

// call returns the messages of the answer, and the status in its trailer.
func (c client) call(method string, requests ...message) (answers [][]byte, status string) {
	c.t.Helper()
	var body bytes.Buffer
	for _, m := range requests {
		body.Write(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))))
		body.Write(m)
	}
	response, err := c.http.Post(c.url+method, "application/grpc", &body)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	for s := (&stream{body: response.Body}); ; {
		answer, err := s.receive()
		if errors.Is(err, io.EOF) {
			return answers, response.Trailer.Get("Grpc-Status")
		}
		if err != nil {
			c.t.Fatal(err)
		}
		answers = append(answers, answer)
	}
}

const (
	notFound = "5"
	ok       = "0"
)

func digestMessage(hash string) (m message) {
	m.bytes(1, []byte(hash))
	m.number(2, 3)
	return m
}

func TestBlobs(t *testing.T) {
	cache, client := newClient(t)
	blob := bytes.Repeat([]byte("blob"), chunk/2) // two messages
	digest := Digest(blob)
	var missing message
	missing.bytes(2, digestMessage(digest))
	find := func() int {
		answers, status := client.call("/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs", missing)
		if status != ok || len(answers) != 1 {
			t.Fatalf("FindMissingBlobs: %d answers, status %s", len(answers), status)
		}
		return len(answers[0])
	}
	var read message
	read.bytes(1, []byte("blobs/"+digest+"/1"))
	if find() == 0 {
		t.Error("a blob is there that nobody sent")
	}
	if _, status := client.call("/google.bytestream.ByteStream/Read", read); status != notFound {
		t.Errorf("reading it: status %s", status)
	}

	var first, second message
	first.bytes(1, []byte("uploads/1/blobs/"+digest+"/1"))
	first.bytes(10, blob[:5])
	second.number(2, 5)
	second.number(3, 1)
	second.bytes(10, blob[5:])
	if _, status := client.call("/google.bytestream.ByteStream/Write", first, second); status != ok {
		t.Fatalf("writing: status %s", status)
	}
	if find() != 0 {
		t.Error("the blob is not there")
	}
	answers, status := client.call("/google.bytestream.ByteStream/Read", read)
	var got []byte
	for _, answer := range answers {
		fields, err := parse(answer)
		if err != nil || len(fields) != 1 {
			t.Fatalf("an answer of %d fields: %v", len(fields), err)
		}
		got = append(got, fields[0].data...)
	}
	if status != ok || len(answers) != 2 || !bytes.Equal(got, blob) {
		t.Errorf("reading: %d bytes in %d answers, status %s", len(got), len(answers), status)
	}
	if traffic := cache.Take(); traffic.Uploaded != int64(len(blob)) || traffic.Downloaded != int64(len(blob)) || traffic.Blobs[digest] != 1 {
		t.Errorf("traffic %+v", traffic)
	}
	if held := cache.Blobs(); len(held) != 1 || held[digest] != int64(len(blob)) {
		t.Errorf("the cache holds %v", held)
	}

	var wrong message
	wrong.bytes(1, []byte("uploads/1/blobs/"+digest+"/1"))
	wrong.bytes(10, []byte("another"))
	if _, status := client.call("/google.bytestream.ByteStream/Write", wrong); status == ok {
		t.Error("a blob with another digest is taken")
	}
}

func TestResults(t *testing.T) {
	cache, client := newClient(t)
	const service = "/build.bazel.remote.execution.v2.ActionCache/"
	var get, update message
	get.bytes(2, digestMessage("action"))
	update.bytes(2, digestMessage("action"))
	update.bytes(3, []byte("result"))
	if _, status := client.call(service+"GetActionResult", get); status != notFound {
		t.Errorf("a result that nobody sent: status %s", status)
	}
	if _, status := client.call(service+"UpdateActionResult", update); status != ok {
		t.Errorf("sending a result: status %s", status)
	}
	answers, status := client.call(service+"GetActionResult", get)
	if status != ok || len(answers) != 1 || string(answers[0]) != "result" {
		t.Errorf("the result is %q, status %s", answers, status)
	}
	if n := cache.ResultBytes(); n != int64(len("result")) {
		t.Errorf("results of %d bytes", n)
	}
	if traffic := cache.Take(); traffic.Hits != 1 || traffic.Misses != 1 || traffic.Stored != 1 {
		t.Errorf("traffic %+v", traffic)
	}
	if traffic := cache.Take(); traffic.Hits != 0 {
		t.Errorf("traffic after it was taken: %+v", traffic)
	}
	if _, status := client.call("/build.bazel.remote.execution.v2.Execution/Execute", get); status != "12" {
		t.Errorf("a method that is not there: status %s", status)
	}
}

func TestParseFails(t *testing.T) {
	for _, m := range []string{"\x80", "\x08", "\x08\x80", "\x12\x02a", "\x12\x80", "\x11a", "\x15a", "\x0b"} {
		if fields, err := parse([]byte(m)); err == nil {
			t.Errorf("parse(%q) = %v", m, fields)
		}
	}
}
