package distribution

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// What a registry names as a Location is an address that a request can be made to, of
// no less security, or an error.
func FuzzLocation(f *testing.F) {
	for _, location := range []string{
		"", "/v2/x/blobs/uploads/y?_state=z", "http://127.0.0.3/x", "https://me@127.0.0.3/x", "//x", "..", "?", "#", "http:x", "%", "http://:1/",
	} {
		f.Add(true, location)
		f.Add(false, location)
	}
	f.Fuzz(func(t *testing.T, secure bool, text string) {
		request := "http://127.0.0.2:5000/v2/x/blobs/uploads/"
		if secure {
			request = "https://127.0.0.2:5000/v2/x/blobs/uploads/"
		}
		u, err := location(answerTo(request, text))
		if err != nil {
			if !errors.Is(err, ErrProtocol) || u != nil {
				t.Fatalf("%v, %v", u, err)
			}
			return
		}
		if u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (secure || u.Scheme != "http") {
			t.Fatalf("%#v", u)
		}
		put := withQuery(u, "digest", "sha256:ab")
		if _, err := http.NewRequest(http.MethodPut, put.String(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

// How far an upload got is never negative, and never without a number that says so.
func FuzzRange(f *testing.F) {
	for _, text := range []string{"", "0-0", "0-99", "bytes=0-99", "0--1", "-", "0-9223372036854775807"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := offset(text); got < 0 || got == 1 || got > 0 && !bytes.ContainsAny([]byte(text), "123456789") {
			t.Fatalf("%d", got)
		}
	})
}

// answering is a registry that gives one answer to everything, its body so many times.
type answering struct {
	status int
	header http.Header
	body   []byte
	times  int
	read   int // bytes
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	a.read = 0
	return &http.Response{
		StatusCode: a.status,
		Header:     a.header.Clone(),
		Body:       io.NopCloser(&repeated{a, a.times, bytes.NewReader(a.body)}),
		Request:    req,
	}, nil
}

type repeated struct {
	answer *answering
	left   int
	now    *bytes.Reader
}

func (r *repeated) Read(p []byte) (int, error) {
	n, err := r.now.Read(p)
	for ; n < len(p) && r.left > 0; r.left-- {
		r.now.Reset(r.answer.body)
		var more int
		more, err = r.now.Read(p[n:])
		n += more
	}
	r.answer.read += n
	if n > 0 {
		err = nil
	}
	return n, err
}

// Whatever a registry answers when it is asked for a manifest or given one, no more of
// it is read than a manifest may have, and nothing counts as stored that has another
// digest.
func FuzzManifestAnswer(f *testing.F) {
	m := manifestOf(f)
	f.Add(200, "application/json; charset=utf-8", "", "", m.Data, 0)
	f.Add(201, "", m.Digest.String(), "", []byte{}, 0)
	f.Add(200, ";", "sha256:00", "", []byte("x"), 10<<20)
	f.Add(404, "application/json", "", "", []byte(`{"errors":[{"code":"NAME_UNKNOWN"}]}`), 0)
	f.Add(429, "", "", "99999999999", []byte(`{"errors":[null,{"detail":[1]}]}`), 1<<20)
	f.Add(307, "", "", "soon", []byte("{"), 3)
	f.Fuzz(func(t *testing.T, status int, mediaType, digest, after string, body []byte, times int) {
		if status < 100 || status > 999 {
			return
		}
		registry := &answering{status: status, body: body, times: min(max(times, 0), 6<<20), header: http.Header{
			"Content-Type":          {mediaType},
			"Docker-Content-Digest": {digest},
			"Retry-After":           {after},
			"Location":              {after},
		}}
		client := New(url.URL{Scheme: "http", Host: "127.0.0.2:5000"},
			func(context.Context, string) (http.RoundTripper, error) { return registry, nil },
			Retry{Attempts: 2, Sleep: func(context.Context, time.Duration) error { return nil }}, &Stats{})
		for _, head := range []bool{false, true} {
			got, _, err := client.Manifest(t.Context(), repo, "latest", head)
			if err != nil && got != nil {
				t.Fatalf("%v and %v", got, err)
			}
			if got != nil && !head && (len(got.Data) > maxManifest || got.Digest != sumOf(t, got.Data)) {
				t.Fatalf("%d bytes under %s", len(got.Data), got.Digest)
			}
			if limit := maxManifest + 1; registry.read > limit {
				t.Fatalf("%d bytes were read", registry.read)
			}
		}
		err := client.PutManifest(t.Context(), repo, "latest", m)
		if err == nil && digest != m.Digest.String() && !bytes.Equal(body, m.Data) && !bytes.Contains(m.Data, body) {
			t.Fatal("something else counts as stored")
		}
		if registry.read > maxManifest+1 {
			t.Fatalf("%d bytes were read", registry.read)
		}
	})
}
