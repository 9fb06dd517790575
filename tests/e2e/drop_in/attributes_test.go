package dropin

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

const level = "--define=LEVEL=debug"

// Times in attributes/BUILD.bazel.
const (
	ownTime      = 1600000000 // mtime
	portableTime = 946684800  // portable_mtime
	createdTime  = 1700000000 // creation_time
)

// capability is an extended attribute as setcap cap_net_bind_service=+ep writes it.
const (
	capabilityKey = "SCHILY.xattr.security.capability"
	capability    = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// writeBase writes the files of //attributes:imported and an archive to add.
func writeBase(t *testing.T, dir string) {
	t.Helper()
	base := harness.Tar(t,
		harness.Member{Header: tar.Header{Name: "./etc/", Typeflag: tar.TypeDir, Mode: 0o755}},
		harness.Member{Header: tar.Header{Name: "./etc/base.conf", Typeflag: tar.TypeReg, Mode: 0o600}, Content: "base\n"},
	)
	diffID, _, err := v1.SHA256(bytes.NewReader(base))
	if err != nil {
		t.Fatal(err)
	}
	harness.Write(t, dir, "base/layer.tar.gz", harness.Gzip(t, base), 0o644)
	harness.Write(t, dir, "base/config.json", []byte(strings.ReplaceAll(baseConfig, "DIFF_ID", diffID.String())), 0o644)

	extra := harness.Tar(t,
		harness.Member{Header: tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o700, Uid: 107, Gid: 107, Uname: "qemu"}},
		harness.Member{Header: tar.Header{
			Name: "etc/app", Typeflag: tar.TypeReg, Mode: 0o440, Uid: 107, Gid: 36, Uname: "qemu", Gname: "kvm",
			ModTime: time.Unix(1234567890, 0), PAXRecords: map[string]string{capabilityKey: capability},
		}, Content: "extra\n"},
		harness.Member{Header: tar.Header{Name: "etc/hard", Typeflag: tar.TypeLink, Linkname: "etc/app", Uid: 107, Gid: 36, Mode: 0o440}},
		harness.Member{Header: tar.Header{Name: "etc/soft", Typeflag: tar.TypeSymlink, Linkname: "../etc/app", Mode: 0o777}},
		harness.Member{Header: tar.Header{Name: "one.txt", Typeflag: tar.TypeReg, Mode: 0o644}, Content: "files come before tars\n"},
	)
	harness.Write(t, dir, "extra.tar.gz", harness.Gzip(t, extra), 0o644)
}

const baseConfig = `{
  "architecture": "amd64", "os": "linux", "author": "somebody", "created": "2020-02-02T00:00:00Z",
  "config": {
    "Cmd": ["base-argument"], "Entrypoint": ["/base"], "Env": ["PATH=/usr/bin:/bin"],
    "ExposedPorts": {"22/tcp": {}}, "Labels": {"org.example.base": "yes"}, "StopSignal": "SIGINT",
    "User": "0", "Volumes": {"/base": {}}, "WorkingDir": "/base"
  },
  "history": [{"created": "2020-02-02T00:00:00Z", "created_by": "the base's layer"}],
  "rootfs": {"type": "layers", "diff_ids": ["DIFF_ID"]}
}
`

// The members that //attributes:imported, :tools and :image bring.
func attributeLayers() [][]harness.Entry {
	own := func(e harness.Entry) harness.Entry { e.MTime = ownTime; return e }
	tools := func(e harness.Entry) harness.Entry { e.MTime = portableTime; return e }
	return [][]harness.Entry{
		{
			folder("etc"),
			{Name: "etc/base.conf", Type: tar.TypeReg, Mode: 0o600, Content: "base\n"},
		},
		{
			tools(folder(".")), tools(folder("opt")), tools(folder("opt/tools")),
			tools(harness.Entry{Name: "opt/tools/tool.sh", Type: tar.TypeReg, Mode: 0o755, Content: "#!/bin/sh\necho tool\n"}),
		},
		{
			own(folder(".")), own(folder("srv")),
			own(harness.Entry{Name: "srv/one.txt", Type: tar.TypeReg, Mode: 0o640, Content: "one\n"}),
			own(folder("srv/sub")),
			own(harness.Entry{Name: "srv/sub/two.txt", Type: tar.TypeReg, Mode: 0o640, Content: "two\n"}),
			own(folder("var")), own(folder("var/log")),
			own(harness.Entry{Name: "var/log/app.log", Type: tar.TypeReg, Mode: 0o640}),
			own(folder("var/cache")),
			own(harness.Entry{Name: "var/cache/app", Type: tar.TypeDir, Mode: 0o640}),
			own(folder("usr")), own(folder("usr/bin")),
			own(harness.Entry{Name: "usr/bin/app", Type: tar.TypeSymlink, Mode: 0o755, Link: "/srv/one.txt"}),
			own(harness.Entry{Name: "srv/etc", Type: tar.TypeDir, Mode: 0o700, UID: 107, GID: 107}),
			own(harness.Entry{Name: "srv/etc/app", Type: tar.TypeReg, Mode: 0o440, UID: 107, GID: 36, Content: "extra\n", Attributes: capabilityKey + "=" + capability}),
			own(harness.Entry{Name: "srv/etc/hard", Type: tar.TypeLink, Mode: 0o440, UID: 107, GID: 36, Link: "./srv/etc/app"}),
			own(harness.Entry{Name: "srv/etc/soft", Type: tar.TypeSymlink, Mode: 0o777, Link: "../etc/app"}),
		},
	}
}

func (s *suite) testAttributes(t *testing.T) {
	s.bazel.Must(t, "run", level, "//attributes:push")
	image := harness.Pull(t, s.ref("attributes/image:latest"))
	checkLayers(t, image, attributeLayers()...)

	config := image.Config
	if config.Architecture != "arm64" || config.OS != "linux" || config.Created.Unix() != createdTime {
		t.Errorf("%s/%s created %v", config.OS, config.Architecture, config.Created)
	}
	checkHistory(t, config, "the base's layer", "bazel build //attributes:image", "bazel build //attributes:image")
	c := config.Config
	checkStrings(t, "entrypoint", c.Entrypoint, "/srv/run me", "serve")
	checkStrings(t, "command", c.Cmd, "--port", "80")
	checkStrings(t, "environment", sorted(c.Env), "FROM_BASE=1", "LEVEL=debug", "PATH=/opt/tools:/usr/bin:/bin", "TOOLS=/opt/tools/bin")
	checkStrings(t, "ports", keys(c.ExposedPorts), "22/tcp", "53/udp", "80/tcp")
	checkStrings(t, "volumes", keys(c.Volumes), "/base", "/data")
	checkStrings(t, "user, folder and signal", []string{c.User, c.WorkingDir, c.StopSignal}, "1001", "/srv", "SIGINT")
	labels := map[string]string{
		"org.example.base":   "yes",
		"org.example.notice": "All rights shared.\n",
		"org.example.title":  "App",
	}
	if !maps.Equal(c.Labels, labels) {
		t.Errorf("labels %q, want %q", c.Labels, labels)
	}
}

func (s *suite) testPredeclaredOutputs(t *testing.T) {
	s.bazel.Must(t, "build", level,
		"//attributes:image.tar", "//attributes:image.digest", "//attributes:image-layer.tar",
		"//attributes:image.json", "//attributes:image.json.sha256")
	s.bazel.Must(t, "run", level, "//attributes:push")
	image := harness.Pull(t, s.ref("attributes/image:latest"))
	output := func(suffix string) []byte { return harness.Read(t, s.bazel.Bin("attributes/image"+suffix)) }

	if got := string(output(".digest")); got != image.Digest.String() {
		t.Errorf("image.digest is %q, the registry has %v", got, image.Digest)
	}
	if got := string(output(".json.sha256")); got != image.Manifest.Config.Digest.Hex {
		t.Errorf("image.json.sha256 is %q, the manifest says %v", got, image.Manifest.Config.Digest)
	}
	if !bytes.Equal(output(".json"), image.RawConfig) {
		t.Error("image.json is not the configuration in the registry")
	}
	want := attributeLayers()
	if got := harness.Entries(t, output("-layer.tar")); !slices.Equal(got, want[2]) {
		t.Errorf("image-layer.tar holds\n%s", lines(got))
	}

	archive := s.bazel.Bin("attributes/image.tar")
	inspected := string(harness.Skopeo(t, "inspect", "--format={{.Architecture}} {{.Digest}} {{len .Layers}}", "docker-archive:"+archive))
	if fields := strings.Fields(inspected); len(fields) != 3 || fields[0] != "arm64" || fields[2] != "3" {
		t.Errorf("skopeo sees %q in image.tar", inspected)
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
	if err != nil {
		t.Fatal(err)
	}
	checkStrings(t, "tags in image.tar", manifest[0].RepoTags, "registry.example/team/attributes:release")
}

func (s *suite) testEntrypoints(t *testing.T) {
	for _, tc := range []struct {
		name            string
		entrypoint, cmd []string
	}{
		{"kept", []string{"/base"}, []string{"--from-base"}},
		{"shell", []string{"/bin/sh", "-c", "exec run --fast"}, nil},
		{"removed", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.bazel.Must(t, "run", "//attributes:"+tc.name+"-push")
			image := harness.Pull(t, s.ref("attributes/"+tc.name+":latest"))
			checkStrings(t, "entrypoint", image.Config.Config.Entrypoint, tc.entrypoint...)
			checkStrings(t, "command", image.Config.Config.Cmd, tc.cmd...)
			// None of them has content of its own, so none adds a layer.
			checkLayers(t, image, attributeLayers()[0])
		})
	}
}

func (s *suite) testFolder(t *testing.T) {
	s.bazel.Must(t, "run", "//attributes:folder-push")
	want := []harness.Entry{
		folder("."), folder("srv"), folder("srv/data"),
		{Name: "srv/data/one.txt", Type: tar.TypeReg, Mode: 0o644, Content: "one\n"},
		folder("srv/data/sub"),
		{Name: "srv/data/sub/two.txt", Type: tar.TypeReg, Mode: 0o644, Content: "two\n"},
	}
	for i := range want {
		want[i].MTime = portableTime
	}
	checkLayers(t, harness.Pull(t, s.ref("attributes/folder:latest")), want)
}

// checkHistory compares what made each layer, bottom-most first.
func checkHistory(t *testing.T, config *v1.ConfigFile, want ...string) {
	t.Helper()
	var got []string
	for _, entry := range config.History {
		if !entry.EmptyLayer {
			got = append(got, entry.CreatedBy)
		}
	}
	checkStrings(t, "history of the layers", got, want...)
}

func parseConfig(t *testing.T, path string) *v1.ConfigFile {
	t.Helper()
	config, err := v1.ParseConfigFile(bytes.NewReader(harness.Read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func checkStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func keys(set map[string]struct{}) []string { return slices.Sorted(maps.Keys(set)) }

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
