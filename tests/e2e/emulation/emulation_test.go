// Package emulation proves that the bytes of layers and images do not depend on the
// machine that builds them: the release's programs for other processors, big-endian
// ones too, run under qemu's user-mode emulation and make what the machine's own makes.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive; qemu-user
// must be on PATH.
package emulation

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
)

// emulators are qemu's names by Go's.
func emulators() map[string]string {
	return map[string]string{
		"amd64": "qemu-x86_64", "arm64": "qemu-aarch64", "ppc64le": "qemu-ppc64le", "s390x": "qemu-s390x",
	}
}

// machine runs the program that a release has for one kind of processor.
type machine struct {
	command []string
	inputs  string // directory that the paths in specs start from
	outputs string // directory of what it makes
}

func TestSameBytes(t *testing.T) {
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	root := harness.TempDir(t)
	inputs := filepath.Join(root, "inputs")
	layer := writeInputs(t, inputs)
	programs := filepath.Join(root, "programs")
	var members []string
	for arch := range emulators() {
		members = append(members, "prebuilt/linux_"+arch+"/imagetool")
	}
	if err := release.Extract(programs, members...); err != nil {
		t.Fatal(err)
	}

	machines := map[string]machine{}
	for arch, emulator := range emulators() {
		command := []string{filepath.Join(programs, "prebuilt", "linux_"+arch, "imagetool")}
		if arch != runtime.GOARCH {
			path, err := exec.LookPath(emulator)
			if err != nil {
				t.Fatalf("finding the emulator (on Debian: apt-get install qemu-user): %v", err)
			}
			command = append([]string{path}, command...)
		}
		m := machine{command: command, inputs: inputs, outputs: filepath.Join(root, arch)}
		if err := os.Mkdir(m.outputs, 0o755); err != nil {
			t.Fatal(err)
		}
		machines[arch] = m
	}
	own, ok := machines[runtime.GOARCH]
	if !ok {
		t.Fatalf("a release has no program for this machine, linux on %s", runtime.GOARCH)
	}
	own.build(t, layer)
	want := own.files(t)
	if len(want) == 0 {
		t.Fatal("nothing is built")
	}
	for _, arch := range slices.Sorted(maps.Keys(machines)) {
		m := machines[arch]
		if arch == runtime.GOARCH {
			continue
		}
		t.Run(arch, func(t *testing.T) {
			m.build(t, layer)
			checkSame(t, m, own, want)
		})
	}
}

// build runs all commands of the builder that a push or a load depends on.
func (m machine) build(t *testing.T, layer spec.Layer) {
	t.Helper()
	var images []spec.ImageLayer
	var blobs, metadata []string
	for _, algorithm := range []string{"gzip", "zstd", "none"} {
		layer.Compression.Algorithm = algorithm
		m.run(t, "layer", m.document(t, algorithm+".spec.json", layer), m.flags("out", algorithm+".blob",
			"metadata", algorithm+".json", "blob-sum", algorithm+".blob.sha256", "diff-id", algorithm+".diffid")...)
		images = append(images, spec.ImageLayer{Metadata: m.path(algorithm + ".json")})
		blobs = append(blobs, m.path(algorithm+".blob"))
		metadata = append(metadata, m.path(algorithm+".json"))
	}
	image := spec.Image{
		Version: 1, Target: "//:image", Layers: images, NewLayers: len(images),
		Entrypoint: []string{"/bin/app"}, Env: []spec.KeyValue{{Key: "PATH", Value: "/bin"}}, ExposedPorts: []string{"80-82"},
		Labels: []spec.Label{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}, Volumes: []string{"/data", "/cache"}, User: "107",
	}
	m.run(t, "image", m.document(t, "image.spec.json", image), m.flags("config", "config.json",
		"config-digest", "config.sha256", "manifest", "manifest.json", "oci-manifest", "oci.json", "digest", "digest")...)
	tarball := spec.Tarball{Version: 1, Target: "//:image", Format: "compressed", Images: []spec.TarballImage{
		{Tag: "bazel:image", Config: m.path("config.json"), Layers: blobs, Metadata: metadata},
	}}
	m.run(t, "tarball", m.document(t, "tarball.spec.json", tarball), m.flags("out", "image.tar")...)
	m.run(t, "blob", "--in=plain.tar", m.flags("out", "recompressed", "metadata", "recompressed.json")...)
	m.run(t, "decompress", "--in="+m.path("gzip.blob"), m.flags("out", "plain")...)
}

func (m machine) path(name string) string { return filepath.Join(m.outputs, name) }

// flags are pairs of a flag and the output that it names.
func (m machine) flags(pairs ...string) []string {
	var flags []string
	for pair := range slices.Chunk(pairs, 2) {
		flags = append(flags, "--"+pair[0]+"="+m.path(pair[1]))
	}
	return flags
}

// document writes a specification, and returns the flag that names it. Specifications
// name files of one machine, so they are not among its outputs.
func (m machine) document(t *testing.T, name string, document any) string {
	t.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	harness.Write(t, m.outputs+".specs", name, data, 0o644)
	return "--spec=" + filepath.Join(m.outputs+".specs", name)
}

func (m machine) run(t *testing.T, command, first string, flags ...string) {
	t.Helper()
	args := slices.Concat(m.command[1:], []string{"builder", command, first}, flags)
	if r := harness.Run(t, m.inputs, []string{}, m.command[0], args...); r.Code != 0 {
		t.Fatal(r)
	}
}

// files are the names of what a machine has made.
func (m machine) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(m.outputs)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func checkSame(t *testing.T, got, want machine, names []string) {
	t.Helper()
	if files := got.files(t); !slices.Equal(files, names) {
		t.Errorf("it makes %q, want %q", files, names)
	}
	for _, name := range names {
		if !bytes.Equal(harness.Read(t, got.path(name)), harness.Read(t, want.path(name))) {
			t.Errorf("%s differs from what this machine's own program makes", name)
		}
	}
}

const (
	smallFiles = 500
	smallSize  = 700     // bytes each
	bigSize    = 3 << 20 // bytes; several blocks of the compressors
)

// writeInputs makes what a layer is made of, and describes the layer.
func writeInputs(t *testing.T, dir string) spec.Layer {
	t.Helper()
	random := rand.NewChaCha8([32]byte{5})
	for i := range smallFiles {
		content := make([]byte, smallSize)
		if _, err := random.Read(content); err != nil {
			t.Fatal(err)
		}
		harness.Write(t, dir, fmt.Sprintf("files/%02d/%d", i%20, i), content, 0o644)
	}
	big := bytes.Repeat([]byte("text that repeats, but for "), bigSize/27)
	for i := 0; i < len(big); i += 100 {
		big[i] = byte(random.Uint64())
	}
	harness.Write(t, dir, "big", big, 0o755)

	members := []harness.Member{
		{Header: tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o700, Uid: 107, Gid: 36, Uname: "qemu"}},
		{Header: tar.Header{
			Name: "etc/app", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 3_000_000, ModTime: time.Unix(1234567890, 0),
			PAXRecords: map[string]string{
				"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
				"SCHILY.xattr.user.name":           "Grüße",
			},
		}, Content: "app\n"},
		{Header: tar.Header{Name: "etc/hard", Typeflag: tar.TypeLink, Linkname: "etc/app", Mode: 0o755}},
		{Header: tar.Header{Name: "etc/soft", Typeflag: tar.TypeSymlink, Linkname: "../big", Mode: 0o777}},
		{Header: tar.Header{Name: "etc/" + strings.Repeat("long/", 40) + "ü", Typeflag: tar.TypeReg, Mode: 0o644}, Content: "deep\n"},
	}
	plain := harness.Tar(t, members...)
	harness.Write(t, dir, "plain.tar", plain, 0o644)
	harness.Write(t, dir, "packed.tar.gz", harness.Gzip(t, harness.Tar(t, harness.Member{
		Header: tar.Header{Name: "./from-gzip", Typeflag: tar.TypeReg, Mode: 0o644}, Content: "gzip\n"})), 0o644)
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	harness.Write(t, dir, "packed.tar.zst", encoder.EncodeAll(harness.Tar(t, harness.Member{
		Header: tar.Header{Name: "from-zstd", Typeflag: tar.TypeReg, Mode: 0o644}, Content: "zstd\n"}), nil), 0o644)

	return spec.Layer{
		Version: 1, Target: "//:layer", MTime: 946684800, PreserveMTime: true,
		Files: []spec.File{
			{Source: "big", Destination: "bin/app"},
			{Source: "files", Destination: "srv/files"},
		},
		EmptyFiles: []string{"/var/log/app"},
		EmptyDirs:  []string{"/var/cache"},
		OwnedDirs:  []spec.OwnedDir{{Name: "/home/app", Mode: "0700", UID: 1000, GID: 1000}},
		Symlinks:   []spec.Symlink{{Name: "/usr/bin/app", Target: "/bin/app"}},
		Tars:       []string{"plain.tar", "packed.tar.gz", "packed.tar.zst"},
	}
}
