package kubevirtlike

import (
	"archive/tar"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// wanted is what an image has to be.
type wanted struct {
	name       string
	base       string // "" for an image from scratch
	layers     [][]harness.Entry
	entrypoint []string
	user       string
	ports      []string
}

// The values of extended attributes.
const (
	selinux    = "SCHILY.xattr.security.selinux=system_u:object_r:"
	capability = "SCHILY.xattr.security.capability=\x01\x00\x00\x02\x00\x04\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// images are those of the workspace, for an architecture.
func (s *suite) images(t *testing.T, architecture string) []wanted {
	t.Helper()
	program := harness.Digest(harness.Read(t, s.program(architecture)))
	accounts := []harness.Entry{
		folder("."),
		file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\n"+
			"machines:x:107:107:runs machines::/sbin/nologin\n"+
			"nonroot-user:x:1001:1001:user:/home/nonroot-user:/bin/bash\n"),
		file("etc/group", 0o644, "machines:x:107:\nnonroot-user:x:1001:\n"),
	}
	library := link("lib64", "usr/lib64")
	if architecture == "arm64" {
		library = link("lib", "usr/lib")
	}
	return []wanted{
		{
			name: "agent", base: "daemon", entrypoint: []string{"/agent"}, ports: []string{"111/tcp", "111/udp", "2049/tcp"},
			layers: [][]harness.Entry{{
				folder("."),
				file("agent.conf", 0o555, "level = chosen\n"), // and not the one of the tar
				file("agent", 0o555, program),
				file("notes.txt", 0o600, "notes\n"),
			}},
		},
		{
			name: "controller", base: "go", entrypoint: []string{"/usr/bin/controller"}, user: "1001",
			layers: [][]harness.Entry{accounts, {folder("."), folder("usr"), folder("usr/bin"), file("usr/bin/controller", 0o555, program)}},
		},
		{
			name: "exporter", base: "system",
			layers: [][]harness.Entry{{folder("."), folder("srv"), file("srv/catalogue.txt", 0o444, "disks\n")}},
		},
		{
			name: "launcher", entrypoint: []string{"/usr/bin/launcher", "--wait"},
			layers: [][]harness.Entry{
				append(accounts,
					harness.Entry{Name: "usr/libexec", Type: tar.TypeDir, Mode: 0o750},
					harness.Entry{
						Name: "usr/libexec/helper", Type: tar.TypeReg, Mode: 0o755, Content: "helps\n",
						Attributes: capability + "\n" + selinux + "bin_t:s0",
					},
					harness.Entry{Name: "usr/bin/helper", Type: tar.TypeLink, Mode: 0o755, Link: "./usr/libexec/helper"},
					link("sbin", "usr/bin"),
					harness.Entry{Name: "var/lib/machines", Type: tar.TypeDir, Mode: 0o750, UID: 107, GID: 107},
					harness.Entry{
						Name: "etc/machines/machines.conf", Type: tar.TypeReg, Mode: 0o440, UID: 107, GID: 107, Content: "user = machines\n",
						Attributes: selinux + "etc_t:s0",
					},
					library,
				),
				{folder("."), folder("usr"), folder("usr/bin"), file("usr/bin/launcher", 0o555, program)},
			},
		},
	}
}

// file has a content that is text, or its digest.
func file(name string, mode int64, content string) harness.Entry {
	if !strings.HasPrefix(content, "sha256:") {
		content = harness.Digest([]byte(content))
	}
	return harness.Entry{Name: name, Type: tar.TypeReg, Mode: mode, Content: content}
}

func link(name, text string) harness.Entry {
	return harness.Entry{Name: name, Type: tar.TypeSymlink, Mode: 0o777, Link: text}
}

func folder(name string) harness.Entry {
	return harness.Entry{Name: name, Type: tar.TypeDir, Mode: 0o755}
}

// pulled is an image that a registry has, compared with what it has to be unless that
// was done for its digest before.
func (s *suite) pulled(t *testing.T, ref string, want wanted, architecture string) *harness.Image {
	t.Helper()
	key := want.name + "-" + architecture + "@" + s.runCrane(t, "digest", ref)
	if s.known[key] == nil {
		s.known[key] = harness.Pull(t, ref)
		s.check(t, s.known[key], want, architecture)
	}
	return s.known[key]
}

// check compares an image with what it has to be.
func (s *suite) check(t *testing.T, image *harness.Image, want wanted, architecture string) {
	t.Helper()
	config := image.Config
	if config.Architecture != architecture || config.OS != "linux" || config.Created.Unix() != 0 {
		t.Errorf("%s/%s, created at %v", config.OS, config.Architecture, config.Created)
	}
	if got := config.Config; !slices.Equal(got.Entrypoint, want.entrypoint) || got.User != want.user || len(got.Cmd) > 0 {
		t.Errorf("entrypoint %q, user %q, command %q", got.Entrypoint, got.User, got.Cmd)
	}
	var ports []string
	for port := range config.Config.ExposedPorts {
		ports = append(ports, port)
	}
	if slices.Sort(ports); !slices.Equal(ports, want.ports) {
		t.Errorf("ports %q, want %q", ports, want.ports)
	}
	below := 0
	if want.base != "" {
		base, err := s.bases[want.base+"-"+architecture].ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		below = len(base.RootFS.DiffIDs)
		if !slices.Equal(config.RootFS.DiffIDs[:min(below, len(config.RootFS.DiffIDs))], base.RootFS.DiffIDs) {
			t.Errorf("the lower layers are %v, the base's %v", config.RootFS.DiffIDs, base.RootFS.DiffIDs)
		}
		if !slices.Equal(config.Config.Env, base.Config.Env) {
			t.Errorf("environment %q, the base's is %q", config.Config.Env, base.Config.Env)
		}
	}
	if len(image.Layers) != below+len(want.layers) {
		t.Fatalf("%d layers, want %d of the base and %d", len(image.Layers), below, len(want.layers))
	}
	for i, layer := range image.Layers[below:] {
		if !slices.Equal(layer, want.layers[i]) {
			t.Errorf("layer %d holds\n%swant\n%s", below+i, lines(layer), lines(want.layers[i]))
		}
	}
}

func lines(entries []harness.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	return b.String()
}
