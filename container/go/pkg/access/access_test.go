package access

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		name, want string // "" for none, "error", or the reason
		args       []string
		named      bool
		lax        bool
	}{
		{name: "nothing"},
		{name: "plain HTTP", args: []string{"-plain-http"}, want: "--plain-http", lax: true},
		{name: "plain HTTP denied says nothing", args: []string{"--plain-http=false"}},
		{name: "verification", args: []string{"--tls-verify"}, want: "--tls-verify=true"},
		{name: "no verification", args: []string{"-tls-verify=false"}, want: "--tls-verify=false", lax: true},
		{name: "insecure", args: []string{"-insecure-repository"}, want: "--insecure-repository", lax: true},
		{name: "secure", args: []string{"-insecure-repository=false"}, want: "--insecure-repository=false"},
		{name: "the same twice", args: []string{"-insecure-repository", "-tls-verify=false"}, want: "--tls-verify=false", lax: true},
		{name: "a contradiction", args: []string{"-insecure-repository", "-tls-verify"}, want: "error"},
		{name: "another", args: []string{"-plain-http", "-insecure-repository=false"}, want: "error"},
		{name: "insecure is one registry's", named: true, args: []string{"-insecure-repository"}},
		{name: "secure is every registry's", named: true, args: []string{"-insecure-repository=false"}, want: "--insecure-repository=false"},
		{name: "and plain HTTP, too", named: true, args: []string{"-insecure-repository", "-plain-http"}, want: "--plain-http", lax: true},
		{name: "a contradiction of one registry's", named: true, args: []string{"-insecure-repository", "-tls-verify"}, want: "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Flags{Named: c.named}
			set := flag.NewFlagSet("test", flag.ContinueOnError)
			set.SetOutput(io.Discard)
			f.Register(set, "push")
			if err := set.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			p, ok, err := f.Policy()
			switch {
			case err != nil:
				if c.want != "error" {
					t.Error(err)
				}
			case ok != (c.want != "") || p.Reason != c.want || (p.Insecure || p.PlainHTTP) != c.lax:
				t.Errorf("got %+v, %v", p, ok)
			}
		})
	}
}

func TestUserPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("here", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"here": "here", "there": filepath.Join("/user", "there"), "/abs": "/abs"} {
		if got := userPath(path, "/user"); got != want {
			t.Errorf("%s: got %s", path, got)
		}
	}
}
