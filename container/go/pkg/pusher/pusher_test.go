package pusher

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func TestPlanAndFlags(t *testing.T) {
	cases := []struct {
		name   string
		change func(p *spec.Push)
		args   []string
		ref    string // where the image has to be
		oci    bool
		lines  []string // %[1]s is the host, %[2]s the digest
	}{
		{name: "plan", change: func(p *spec.Push) { p.InsecureRepository = true }, ref: "team/app:v1.0.0", lines: []string{
			"%[1]s: plain HTTP, because of insecure_repository\n",
			"\nSuccessfully pushed Docker image to %[1]s/team/app:v1.0.0 - %[1]s/team/app@%[2]s\n"}},
		{name: "flag", args: []string{"--insecure-repository"}, ref: "team/app:v1.0.0"},
		{name: "flag with a value", args: []string{"-insecure-repository=true"}, ref: "team/app:v1.0.0"},
		{name: "dst", args: []string{"-insecure-repository", "-dst", "HOST/x/y:z"}, ref: "x/y:z",
			lines: []string{"image to %[1]s/x/y:z - %[1]s/x/y@%[2]s\n"}},
		{name: "dst with =", args: []string{"-insecure-repository", "--dst=HOST/x/y"}, ref: "x/y:latest",
			lines: []string{"image to %[1]s/x/y - %[1]s/x/y@%[2]s\n"}},
		{name: "dst by digest", args: []string{"-insecure-repository", "--dst=HOST/x/y@DIGEST"}, ref: "x/y@DIGEST",
			lines: []string{"Successfully pushed Docker image to %[1]s/x/y@%[2]s\n"}},
		{name: "registry with a prefix", change: func(p *spec.Push) { p.Registry += "/prefix"; p.InsecureRepository = true },
			ref: "prefix/team/app:v1.0.0"},
		{name: "slashes too many", change: func(p *spec.Push) {
			p.Registry, p.Repository, p.InsecureRepository = p.Registry+"/prefix/", "/team//app/", true
		}, ref: "prefix/team/app:v1.0.0", lines: []string{"image to %[1]s/prefix/team/app:v1.0.0 - %[1]s/prefix/team/app@%[2]s\n"}},
		{name: "slashes too many in dst", args: []string{"-insecure-repository", "-dst", "HOST//x//y:z"}, ref: "x/y:z",
			lines: []string{"image to %[1]s/x/y:z - %[1]s/x/y@%[2]s\n"}},
		{name: "no folder of credentials", change: func(p *spec.Push) { p.ClientConfigDir = "/no/such" },
			args: []string{"-insecure-repository", "-client-config-dir="}, ref: "team/app:v1.0.0"},
		{name: "files", change: func(p *spec.Push) {
			p.RepositoryFile, p.TagFile, p.StampFiles = "ws/repository.txt", "ws/tag.txt", []string{"ws/stable-status.txt"}
			p.InsecureRepository = true
		}, ref: "from/file:v-v1.0.0", lines: []string{
			"Destination %[1]s/from/file:v-{STABLE_TAG} was resolved to %[1]s/from/file:v-v1.0.0 after stamping.\n"}},
		{name: "stamp file of the command line", change: func(p *spec.Push) { p.Tag = "{STABLE_TAG}" },
			args: []string{"-insecure-repository", "-stamp-info-file", "STATUS"}, ref: "team/app:v1.0.0"},
		{name: "format", args: []string{"-insecure-repository", "-format=OCI"}, ref: "team/app:v1.0.0", oci: true,
			lines: []string{"Successfully pushed OCI image to"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host := serve(t, nil, false)
			tg := newTarget(t, host)
			if c.change != nil {
				c.change(&tg.plan.Images[0])
			}
			fill := strings.NewReplacer("HOST", host, "DIGEST", tg.digest, "STATUS", tg.file("stable-status.txt"))
			var args []string
			for _, a := range c.args {
				args = append(args, fill.Replace(a))
			}
			code, out := tg.run(t, args...)
			if code != 0 {
				t.Fatalf("exit code %d:\n%s", code, out)
			}
			got := digestAt(t, host+"/"+fill.Replace(c.ref))
			if got == "" || (got == tg.digest) == c.oci {
				t.Errorf("%s has %q, pushed %s", c.ref, got, tg.digest)
			}
			for _, line := range c.lines {
				contains(t, out, strings.NewReplacer("%[1]s", host, "%[2]s", tg.digest).Replace(line))
			}
		})
	}
}

func TestFlagOverridesPlanToFalse(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	if code, out := tg.run(t, "-insecure-repository=false"); code != 1 || !strings.Contains(out, "speaks plain HTTP") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestSkip(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	p := &tg.plan.Images[0]
	p.InsecureRepository, p.SkipUnchangedDigest = true, true
	if code, out := tg.run(t); code != 0 || strings.Contains(out, "Skipping") || strings.Contains(out, "Error checking") {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	for _, step := range []struct{ name, tag, want string }{
		{"same tag", "v1.0.0", "already"}, {"new tag", "v2", "now tagged"},
	} {
		t.Run(step.name, func(t *testing.T) {
			p.Tag = step.tag
			code, out := tg.run(t)
			if code != 0 || strings.Contains(out, "Successfully pushed") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			contains(t, out, "Skipping push of unchanged digest\n", step.want, host+"/team/app@"+tg.digest, ":"+step.tag)
			if digestAt(t, host+"/team/app:"+step.tag) != tg.digest {
				t.Error("the tag is not there")
			}
		})
	}
}

func TestWithoutPlan(t *testing.T) {
	host := serve(t, nil, false)
	tg := newTarget(t, host)
	hash := strings.TrimPrefix(func() string {
		h, _, _ := v1.SHA256(strings.NewReader("a layer"))
		return h.String()
	}(), "sha256:")
	digest := save(t, tg.file("layer.sha256"), []byte(hash))
	layer := fmt.Sprintf("-layer=%s,%s,%s,%s", tg.file("layer.tar"), tg.file("layer.tar"), digest, digest)
	cases := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"pushes", []string{"-dst=" + host + "/a/b:c", "--format=Docker", "-config=" + tg.file("config.json"), layer,
			"-insecure-repository", "-manifest=" + save(t, tg.file("base.json"), []byte("{}"))}, 0,
			"Successfully pushed Docker image to " + host + "/a/b:c - " + host + "/a/b@" + tg.digest + "\n"},
		{"advice without a target", []string{"-dst=" + host + "/a/b:c", "-format=Docker", "-config=" + tg.file("config.json"), layer}, 1,
			"it, pass --insecure-repository\n"},
		{"no dst", nil, 1, "ERROR: Required option -dst was not specified.\n"},
		{"no format", []string{"-dst=a/b"}, 1, "ERROR: Required option -format was not specified.\n"},
		{"no image", []string{"-dst=a/b", "-format=OCI"}, 1, "ERROR: Neither --tarball nor --config was specified.\n"},
		{"three fields", []string{"-dst=a/b", "-format=OCI", "-config=x", "-layer=a,b,c"}, 1,
			"Unable to determine parts of the image from the specified arguments: "},
		{"no stamp file", []string{"-dst=a/{b}", "-format=OCI", "-config=x", "-stamp-info-file=/no/such"}, 1, "Failed to initialize the stamper: "},
		{"no tarball", []string{"-dst=a/b", "-format=OCI", "-tarball=/no/such"}, 1, "Error reading image: "},
		{"help", []string{"--help"}, 0, "-skip-unchanged-digest"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, out := start(t, context.Background(), "pusher", nil, c.args...)
			if code != c.code {
				t.Errorf("exit code %d", code)
			}
			contains(t, out, c.want)
		})
	}
}

func TestSeveralImages(t *testing.T) {
	for _, sequential := range []bool{false, true} {
		t.Run(fmt.Sprintf("sequential=%v", sequential), func(t *testing.T) {
			host := serve(t, nil, false)
			tg := newTarget(t, host)
			tg.plan.Sequential = sequential
			base := tg.plan.Images[0]
			tg.plan.Images = nil
			for i, h := range []string{host, "127.0.0.2:1", host} {
				p := base
				p.Registry, p.InsecureRepository, p.Repository = h, true, fmt.Sprintf("app%d", i)
				p.Target = fmt.Sprintf("//cmd:push%d", i)
				tg.plan.Images = append(tg.plan.Images, p)
			}
			code, out := tg.run(t)
			if code != 1 || strings.Count(out, "ERROR: ") != 1 || strings.Count(out, "plain HTTP, because") != 1 {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			contains(t, out, "ERROR: //cmd:push1:")
			pushed := digestAt(t, host+"/app2:v1.0.0") != ""
			if pushed == sequential || digestAt(t, host+"/app0:v1.0.0") == "" {
				t.Errorf("last image pushed: %v\n%s", pushed, out)
			}
			if sequential {
				contains(t, out, "//cmd:push2: not pushed")
			}
		})
	}
	t.Run("one advice", func(t *testing.T) {
		tg := newTarget(t, "127.0.0.2:1")
		tg.plan.Images = append(tg.plan.Images, tg.plan.Images[0])
		if _, out := tg.run(t); strings.Count(out, "Is the registry running") != 1 || strings.Count(out, "ERROR: ") != 2 {
			t.Errorf("got:\n%s", out)
		}
	})
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	host := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}), false)
	tg := newTarget(t, host)
	tg.plan.Images[0].InsecureRepository = true
	save(t, tg.program+".push.json", asJSON(t, tg.plan))
	code, out := start(t, ctx, tg.program, nil)
	if code != 130 || !strings.Contains(out, "interrupted\n") || strings.Contains(out, "ERROR") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestTarballFlag(t *testing.T) {
	host := serve(t, nil, false)
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(path, name.MustParseReference("a/b:c"), img); err != nil {
		t.Fatal(err)
	}
	tg := newTarget(t, host)
	code, out := tg.run(t, "-insecure-repository", "-tarball", path)
	if got := digestAt(t, host+"/team/app:v1.0.0"); code != 0 || got == "" || got == tg.digest {
		t.Errorf("exit code %d, digest %q:\n%s", code, got, out)
	}
}
