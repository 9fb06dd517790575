package push

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/distribution"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

func TestSkipUnchanged(t *testing.T) {
	f := build(t)
	image, err := FromPlan(f.plan, asIs)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	first := one(t, s, Job{Image: image, Ref: s.ref(t, "a:v1"), SkipUnchanged: true})
	if first.Err != nil || first.Skipped || len(first.Warnings) > 0 {
		t.Fatalf("first push: %+v", first)
	}
	steps := []struct {
		name, ref string
		tagged    bool
		puts      int
	}{
		{"same tag", "a:v1", false, 0},
		{"new tag", "a:v2", true, 1},
		{"new tag again", "a:v2", false, 0},
		{"digest", "a@" + image.Digest.String(), false, 0},
	}
	for _, c := range steps {
		t.Run(c.name, func(t *testing.T) {
			s.forget()
			r := one(t, s, Job{Image: image, Ref: s.ref(t, c.ref), SkipUnchanged: true})
			if r.Err != nil || !r.Skipped || r.Tagged != c.tagged {
				t.Errorf("got %+v", r)
			}
			if s.asked("PUT ") != c.puts || s.asked("POST ")+s.asked("PATCH ") != 0 || s.asked("HEAD /v2/a/blobs") != 0 {
				t.Errorf("asked %v", s.log)
			}
		})
	}
	t.Run("check fails", func(t *testing.T) {
		s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/sha256:") {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			return false
		}
		r := one(t, s, Job{Image: image, Ref: s.ref(t, "a:v3"), SkipUnchanged: true})
		if r.Err != nil || r.Skipped || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "Still pushing") {
			t.Errorf("got %+v", r)
		}
	})
}

func TestReadBack(t *testing.T) {
	f := build(t)
	image, err := FromPlan(f.plan, asIs)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(code int, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", string(image.MediaType))
			w.WriteHeader(code)
			_, _ = w.Write(body)
		}
	}
	cases := []struct {
		name     string
		put      string // the digest in the answer to PUT
		get      http.HandlerFunc
		want     error
		warnings int
		gets     int
	}{
		{"the answer names the digest", image.Digest.String(), nil, nil, 0, 0},
		{"the answer names another digest", "sha256:" + strings.Repeat("0", 64), nil, distribution.ErrDigest, 0, 0},
		{"the same when asked", "", answer(200, image.Manifest), nil, 0, 1},
		{"another when asked", "", answer(200, []byte("{}")), distribution.ErrDigest, 0, 1},
		{"none when asked", "", answer(404, nil), distribution.ErrDigest, 0, 1},
		{"may not be asked", "", answer(403, nil), nil, 1, 1},
		{"fails when asked", "", answer(500, nil), registry.ErrServer, 0, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			gets := 0
			s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case !strings.Contains(r.URL.Path, "/manifests/"):
					return false
				case r.Method == http.MethodPut:
					if c.put != "" {
						w.Header().Set("Docker-Content-Digest", c.put)
					}
					w.WriteHeader(http.StatusCreated)
				case s.asked("PUT /v2/a/manifests/") == 0:
					w.WriteHeader(http.StatusNotFound)
				default:
					gets++
					c.get(w, r)
				}
				return true
			}
			r := one(t, s, Job{Image: image, Ref: s.ref(t, "a:v1")})
			if !errors.Is(r.Err, c.want) || len(r.Warnings) != c.warnings || gets != c.gets {
				t.Errorf("got %+v after asking %d times, want %v", r, gets, c.want)
			}
		})
	}
}

func TestDigestDestination(t *testing.T) {
	f := build(t)
	image, err := FromPlan(f.plan, asIs)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	if r := one(t, s, Job{Image: image, Ref: s.ref(t, "a@sha256:"+strings.Repeat("0", 64))}); !errors.Is(r.Err, ErrWrongDigest) {
		t.Errorf("wrong digest: %v", r.Err)
	}
	if len(s.log) != 0 {
		t.Errorf("asked %v", s.log)
	}
	if r := one(t, s, Job{Image: image, Ref: s.ref(t, "a@"+image.Digest.String())}); r.Err != nil {
		t.Error(r.Err)
	}
}

func TestSeveral(t *testing.T) {
	f := build(t)
	image, err := FromPlan(f.plan, asIs)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name       string
		sequential bool
		want       []error
	}{
		{"sequential", true, []error{nil, registry.ErrServer, ErrNotRun}},
		{"parallel", false, []error{nil, registry.ErrServer, nil}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/v2/b/") {
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
				return false
			}
			var jobs []Job
			for _, n := range []string{"a:1", "b:1", "c:1"} {
				jobs = append(jobs, Job{Image: image, Ref: s.ref(t, n)})
			}
			told := map[int]error{}
			results := s.planner(c.sequential).Push(context.Background(), jobs,
				func(i int, r Result) { told[i] = r.Err })
			for i, want := range c.want {
				if !errors.Is(results[i].Err, want) || !errors.Is(told[i], want) {
					t.Errorf("job %d: %v, told %v; want %v", i, results[i].Err, told[i], want)
				}
			}
		})
	}
}
