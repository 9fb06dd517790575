package pusher

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// TestErrors is the whole table of what a registry can do to a push.
func TestErrors(t *testing.T) {
	status := func(code int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, code) })
	}
	deny := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); ok {
				w.WriteHeader(code)
				return
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
	const closed = "127.0.0.2:1" // a port that the system gives to nobody meanwhile
	const line = "add this line to container_push(name = \"image-push\") in cmd/BUILD.bazel:\n    insecure_repository = True,\n" +
		"or pass it once: bazel run //cmd:image-push -- --insecure-repository\n"
	cases := []struct {
		name     string
		host     string
		target   string // "" for //cmd:image-push
		insecure bool
		login    bool
		want     []string
	}{
		{name: "plain HTTP", host: serve(t, nil, false), want: []string{
			"ERROR: //cmd:image-push: cannot push to HOST/team/app:v1.0.0: the registry HOST speaks plain HTTP " +
				"(http: server gave HTTP response to HTTPS client).\n" +
				"If you trust the network between here and it, " + line}},
		{name: "in another repository", host: serve(t, nil, false), target: "@other//x:push", want: []string{
			"add this line to container_push(name = \"push\") in cmd/BUILD.bazel of @other:\n    insecure_repository = True,\n" +
				"or pass it once: bazel run @other//x:push -- --insecure-repository\n"}},
		{name: "certificate", host: serve(t, nil, true), want: []string{"certificate of the registry HOST", line}},
		{name: "closed", host: closed, want: []string{"nothing accepts connections at HOST", "Is the registry running"}},
		{name: "closed, declared", host: closed, insecure: true, want: []string{"nothing accepts connections at HOST"}},
		{name: "no credentials", host: serve(t, deny(401), false), insecure: true,
			want: []string{"none were found for it", "docker login HOST", "/.docker/config.json"}},
		{name: "refused credentials", host: serve(t, deny(401), false), insecure: true, login: true,
			want: []string{"refused the credentials", "docker login HOST", "config.json", "credentials travel unencrypted"}},
		{name: "denied", host: serve(t, deny(403), false), insecure: true, login: true,
			want: []string{"does not let the user", "right to push to team/app"}},
		{name: "name unknown", host: serve(t, status(404, `{"errors":[{"code":"NAME_UNKNOWN"}]}`), false), insecure: true,
			want: []string{"no such repository", "Make the repository team/app"}},
		{name: "name invalid", host: serve(t, status(400, `{"errors":[{"code":"NAME_INVALID"}]}`), false), insecure: true,
			want: []string{"does not accept the repository's name", "HOST[:PORT]/REPOSITORY"}},
		{name: "no registry", host: serve(t, status(404, "<html>no such page</html>"), false), insecure: true,
			want: []string{"what answers at HOST does not do so as a registry does", "no such page", "is HOST its address and port?"}},
		{name: "500", host: serve(t, status(500, "boom"), false), insecure: true,
			want: []string{"HOST failed, and failed again", "GET http://HOST/v2/", "500", "boom", "Its log"}},
		{name: "413", host: serve(t, status(413, ""), false), insecure: true, want: []string{"HOST, or a proxy before it, does not take", "client_max_body_size"}},
		{name: "429", host: serve(t, status(429, ""), false), insecure: true, want: []string{"limits the rate", "Wait a while"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tg := newTarget(t, c.host)
			if c.target != "" {
				tg.plan.Images[0].Target = c.target
			}
			tg.plan.Images[0].InsecureRepository = c.insecure
			if c.login {
				auth := base64.StdEncoding.EncodeToString([]byte("alice:correct-horse"))
				path := save(t, filepath.Join(t.TempDir(), "config.json"),
					asJSON(t, map[string]any{"auths": map[string]any{c.host: map[string]string{"auth": auth}}}))
				tg.plan.Images[0].ClientConfigDir = filepath.Dir(path)
			}
			code, out := tg.run(t)
			if code != 1 || strings.Count(out, "ERROR: ") != 1 || strings.Contains(out, "Successfully") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			if strings.Contains(out, "correct-horse") {
				t.Errorf("the password is in:\n%s", out)
			}
			for _, want := range c.want {
				want = strings.ReplaceAll(want, "HOST[:PORT]", "[:PORT]")
				contains(t, out, strings.ReplaceAll(want, "HOST", c.host))
			}
		})
	}
}

// TestBadInput is what can be told without a registry.
func TestBadInput(t *testing.T) {
	cases := []struct {
		name   string
		change func(tg *target, p *spec.Push)
		args   []string
		want   []string
	}{
		{name: "empty registry", change: func(_ *target, p *spec.Push) { p.Registry = "" }, want: []string{"//cmd:image-push: registry is empty"}},
		{name: "empty repository", change: func(_ *target, p *spec.Push) { p.Repository = "" }, want: []string{"//cmd:image-push: repository is empty"}},
		{name: "empty tag", change: func(_ *target, p *spec.Push) { p.Tag = "" }, want: []string{"//cmd:image-push: tag is empty"}},
		{name: "empty file", change: func(tg *target, p *spec.Push) {
			p.TagFile = "ws/empty"
			_ = os.WriteFile(tg.file("empty"), []byte("\n"), 0o600)
		}, want: []string{"tag_file is empty"}},
		{name: "missing file", change: func(_ *target, p *spec.Push) { p.TagFile = "ws/gone.txt" }, want: []string{"tag_file", "ws/gone.txt"}},
		{name: "upper case", change: func(_ *target, p *spec.Push) { p.Repository = "Team/App" }, want: []string{`repository "Team/App"`, "lower-case"}},
		{name: "tag", change: func(_ *target, p *spec.Push) { p.Tag = "a b" }, want: []string{`//cmd:image-push: tag "a b"`}},
		{name: "tag in the repository", change: func(_ *target, p *spec.Push) { p.Repository = "a:b" }, want: []string{`repository "a:b"`}},
		{name: "registry", change: func(_ *target, p *spec.Push) { p.Registry = "http://r" }, want: []string{`registry "http://r"`}},
		{name: "user and password", change: func(_ *target, p *spec.Push) { p.Registry = "joe:correct-horse@r.example" },
			want: []string{`registry "[redacted]@r.example"`, `"[redacted]@r.example/team/app:v1.0.0"`, "docker login"}},
		{name: "user and password in a URL", change: func(_ *target, p *spec.Push) { p.Registry = "http://joe:correct-horse@r.example" },
			want: []string{`registry "http://[redacted]@r.example"`, "without http://"}},
		{name: "user and password in dst", args: []string{"-dst=joe:correct-horse@r.example/a:b"}, want: []string{`-dst "[redacted]@r.example/a:b"`, "docker login"}},
		{name: "user and password beside an unknown key", change: func(_ *target, p *spec.Push) {
			p.Registry, p.StampFiles = "joe:correct-horse@{HOST}", []string{"ws/stable-status.txt"}
		}, want: []string{"[redacted]@{HOST}", "--workspace_status_command"}},
		{name: "digest in the tag", change: func(_ *target, p *spec.Push) { p.Tag = "sha256:" + strings.Repeat("0", 64) },
			want: []string{`tag "sha256:0`, "a tag has none of"}},
		{name: "digest behind the tag", change: func(_ *target, p *spec.Push) { p.Tag = "v1@sha256:" + strings.Repeat("0", 64) },
			want: []string{`tag "v1@sha256:0`, "a tag has none of"}},
		{name: "slash in the tag", change: func(_ *target, p *spec.Push) { p.Tag = "feature/x" }, want: []string{`tag "feature/x"`, "a tag has none of"}},
		{name: "start of the tag", change: func(_ *target, p *spec.Push) { p.Tag = "-v1" }, want: []string{`tag "-v1"`, "begins with none of"}},
		{name: "lines in the tag's file", change: func(tg *target, p *spec.Push) {
			p.TagFile = "ws/lines"
			_ = os.WriteFile(tg.file("lines"), []byte("v1\nv2\n"), 0o600)
		}, want: []string{`tag_file "v1\nv2" makes "127.0.0.2:1/team/app:v1\nv2", which is not a reference: a tag has at most`}},
		{name: "another file than the tag's", change: func(tg *target, p *spec.Push) {
			p.TagFile = "ws/large"
			_ = os.WriteFile(tg.file("large"), []byte("joe:correct-horse@"+strings.Repeat("x", 1000)), 0o600)
		}, want: []string{`tag_file "[redacted]@xxx`, `xxx...", which`}},

		{name: "dots", change: func(_ *target, p *spec.Push) { p.Repository = "a/../b" }, want: []string{`repository "a/../b"`, "between two names"}},
		{name: "port", change: func(_ *target, p *spec.Push) { p.Registry = "r.example:99999" }, want: []string{`registry "r.example:99999"`, "65535"}},
		{name: "only slashes", change: func(_ *target, p *spec.Push) { p.Repository = "//" }, want: []string{"repository is empty"}},
		{name: "empty dst", args: []string{"-dst="}, want: []string{"Required option -dst was not specified."}},
		{name: "empty format", args: []string{"-format", ""}, want: []string{"Required option -format was not specified."}},
		{name: "empty config", args: []string{"-config="}, want: []string{"Neither --tarball nor --config was specified."}},
		{name: "empty tarball", args: []string{"-tarball="}, want: []string{"Neither --tarball nor --config was specified."}},
		{name: "JSON of nothing", args: []string{"-json=-", "-dry-run"}, want: []string{"-json", "-dry-run"}},
		{name: "not stamped", change: func(_ *target, p *spec.Push) { p.Tag = "{STABLE_TAG}" }, want: []string{`tag "{STABLE_TAG}"`, "stamped?"}},
		{name: "unknown key", change: func(_ *target, p *spec.Push) {
			p.Tag, p.StampFiles = "{STABLE_NONE}", []string{"ws/stable-status.txt"}
		}, want: []string{"//cmd:image-push", "STABLE_NONE", "--workspace_status_command"}},
		{name: "dst is a URL", args: []string{"-dst", "http://r/a:b"}, want: []string{"-dst", "without http://"}},
		{name: "bad dst", args: []string{"-dst", "A/B:c d"}, want: []string{"//cmd:image-push: -dst", "A/B:c d"}},
		{name: "format", change: func(_ *target, p *spec.Push) { p.Format = "x" }, want: []string{"//cmd:image-push: format", "Docker or OCI"}},
		{name: "missing layer", change: func(tg *target, _ *spec.Push) { _ = os.Remove(tg.file("layer.tar")) },
			want: []string{"//cmd:image-push: layer sha256:", "ws/layer.tar"}},
		{name: "config dir", args: []string{"-client-config-dir=/no/such"},
			want: []string{`Failed to validate the Docker client config dir "/no/such" specified via --client-config-dir:`}},
		{name: "two images and a dst", change: func(tg *target, p *spec.Push) { tg.plan.Images = append(tg.plan.Images, *p) },
			args: []string{"-dst=a/b:c"}, want: []string{"-dst is for one image", "pushes 2"}},
		{name: "version", change: func(tg *target, _ *spec.Push) { tg.plan.Version = 2 }, want: []string{"version 2", "push.json"}},
		{name: "unknown flag", args: []string{"-nonsense"}, want: []string{"ERROR: flag provided but not defined: -nonsense; see -help"}},
		{name: "argument", args: []string{"nonsense"}, want: []string{`ERROR: unexpected argument "nonsense"`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tg := newTarget(t, "127.0.0.2:1")
			if c.change != nil {
				c.change(tg, &tg.plan.Images[0])
			}
			code, out := tg.run(t, c.args...)
			if code != 1 || strings.Contains(out, "cannot push") || strings.Contains(out, "correct-horse") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			contains(t, out, c.want...)
		})
	}
}
