package distribution

import (
	"errors"
	"net/http"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/internal/scripted"
)

func TestManifest(t *testing.T) {
	m := manifestOf(t)
	tests := []struct {
		name    string
		traits  scripted.Traits
		present bool
		head    bool
		want    bool
		absence Absence
		err     error
	}{
		{"GET", scripted.Traits{Digests: true}, true, false, true, Unknown, nil},
		{"GET without the header", scripted.Traits{}, true, false, true, Unknown, nil},
		{"HEAD", scripted.Traits{Digests: true}, true, true, true, Unknown, nil},
		{"HEAD without the header", scripted.Traits{}, true, true, false, Unknown, ErrProtocol},
		{"MANIFEST_UNKNOWN", scripted.Traits{}, false, false, false, Unknown, nil},
		{"NAME_UNKNOWN", scripted.Traits{Names: true}, false, false, false, NoRepository, nil},
		{"HEAD of nothing", scripted.Traits{Names: true}, false, true, false, Unknown, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.traits)
			if test.present {
				if err := w.client.PutManifest(t.Context(), repo, "latest", m); err != nil {
					t.Fatal(err)
				}
			}
			before := len(w.registry.Log())
			got, absence, err := w.client.Manifest(t.Context(), repo, "latest", test.head)
			if !errors.Is(err, test.err) || absence != test.absence || (got != nil) != test.want {
				t.Fatalf("got %v, %v, %v", got, absence, err)
			}
			if got != nil && (got.Digest != m.Digest || got.MediaType != m.MediaType || test.head != (got.Data == nil)) {
				t.Errorf("got %+v", got)
			}
			if asked := w.registry.Log()[before:]; len(asked) != 1 || asked[0].Header.Get("Accept") != accept() {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

// What breaks off is asked for again.
func TestTruncatedAnswer(t *testing.T) {
	m := manifestOf(t)
	w := newWorld(t, scripted.Traits{Names: true})
	w.registry.Script("GET manifest", 2, scripted.Truncate())
	got, absence, err := w.client.Manifest(t.Context(), repo, "latest", false)
	if got != nil || absence != NoRepository || err != nil {
		t.Errorf("got %v, %v, %v", got, absence, err)
	}
	w.slept(pauses(2))
	if err := w.client.PutManifest(t.Context(), repo, "latest", m); err != nil {
		t.Fatal(err)
	}
	w.registry.Script("GET manifest", 1, scripted.Truncate())
	if got, _, err = w.client.Manifest(t.Context(), repo, "latest", false); err != nil || string(got.Data) != string(m.Data) {
		t.Errorf("got %v, %v", got, err)
	}
	w.registry.Script("GET manifest", scripted.Always, scripted.Truncate())
	_, _, err = w.client.Manifest(t.Context(), repo, "latest", false)
	failed(t, err, "unexpected EOF")
}

func TestPutManifest(t *testing.T) {
	m := manifestOf(t)
	write := func(text string) scripted.Fault {
		return func(_ *scripted.Registry, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	tests := []struct {
		name   string
		traits scripted.Traits
		what   string
		fault  scripted.Fault
		want   []string
		err    error
	}{
		{"digest said", scripted.Traits{Digests: true}, "", nil, []string{"PUT manifest"}, nil},
		{"digest not said", scripted.Traits{}, "", nil, []string{"PUT manifest", "GET manifest"}, nil},
		{"lie", scripted.Traits{}, "PUT manifest", scripted.Alter("Docker-Content-Digest: sha256:00"), []string{"PUT manifest"}, ErrDigest},
		{"something else", scripted.Traits{}, "GET manifest", write("{}"), []string{"PUT manifest", "GET manifest"}, ErrDigest},
		// What the registry says of what it gives is not believed.
		{"something else under the digest", scripted.Traits{}, "GET manifest", func(r *scripted.Registry, w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Docker-Content-Digest", m.Digest.String())
			write("{}")(r, w, req)
		}, []string{"PUT manifest", "GET manifest"}, ErrDigest},
		{"gone", scripted.Traits{}, "GET manifest", scripted.Refuse(404, "MANIFEST_UNKNOWN"), []string{"PUT manifest", "GET manifest"}, ErrDigest},
		{"no right to read", scripted.Traits{}, "GET manifest", scripted.Status(403), []string{"PUT manifest", "GET manifest"}, ErrUnread},
		{"answer lost", scripted.Traits{Digests: true}, "PUT manifest", scripted.LoseAnswer(), []string{"PUT manifest", "PUT manifest"}, nil},
		{"token ended", scripted.Traits{Digests: true}, "PUT manifest", scripted.Status(401), []string{"PUT manifest", "PUT manifest"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.traits)
			if test.what != "" {
				w.registry.Script(test.what, 1, test.fault)
			}
			err := w.client.PutManifest(t.Context(), repo, "latest", m)
			if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			w.did(0, test.want...)
			if got := w.registry.Manifest(repo, "latest"); string(got) != string(m.Data) {
				t.Errorf("the tag has %q", got)
			}
			if got := w.registry.Log()[0].Header.Get("Content-Type"); got != string(m.MediaType) {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		for code, unknown := range map[string]bool{"MANIFEST_BLOB_UNKNOWN": true, "BLOB_UNKNOWN": true, "MANIFEST_INVALID": false} {
			w := newWorld(t, scripted.Traits{})
			w.registry.Script("PUT manifest", scripted.Always, scripted.Refuse(400, code))
			err := w.client.PutManifest(t.Context(), repo, "latest", m)
			failed(t, err, code, "latest")
			if IsBlobUnknown(err) != unknown {
				t.Errorf("%s: IsBlobUnknown = %t", code, !unknown)
			}
			w.did(0, "PUT manifest")
		}
		w := newWorld(t, scripted.Traits{})
		w.registry.Script("PUT manifest", scripted.Always, scripted.Status(401))
		if err := w.client.PutManifest(t.Context(), repo, "latest", m); !IsDenied(err) {
			t.Errorf("not IsDenied: %v", err)
		}
		w.did(0, "PUT manifest", "PUT manifest")
	})
}
