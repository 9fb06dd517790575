package builder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// folder is where a test's files are.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) write(name string, data []byte) string {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

func (f folder) json(name string, v any) string {
	f.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.write(name, data)
}

func (f folder) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

func (f folder) run(args ...string) {
	f.t.Helper()
	var warnings bytes.Buffer
	if err := Run(context.Background(), args, &warnings); err != nil {
		f.t.Fatalf("builder %s: %v", strings.Join(args, " "), err)
	}
	if warnings.Len() > 0 {
		f.t.Errorf("builder %s warns: %s", args[0], warnings.String())
	}
}

func hexSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestImage takes a file through every command, as the actions of a container_image do.
func TestImage(t *testing.T) {
	f := folder{t, t.TempDir()}
	layer := f.json("layer.spec.json", spec.Layer{
		Version: 1, Target: "//p:image", Mode: "0o555",
		Files:       []spec.File{{Source: f.write("hello", []byte("hello\n")), Destination: "usr/bin/hello"}},
		Compression: spec.Compression{Algorithm: "gzip"},
	})
	f.run("layer", "--spec="+layer, "--out="+f.path("layer.tar.gz"), "--metadata="+f.path("layer.json"),
		"--blob-sum="+f.path("layer.sum"), "--diff-id="+f.path("layer.id"))
	f.run("decompress", "--in="+f.path("layer.tar.gz"), "--out="+f.path("layer.tar"))
	if f.read("layer.sum") != hexSum(f.read("layer.tar.gz")) || f.read("layer.id") != hexSum(f.read("layer.tar")) {
		t.Error("the digests are not those of the files")
	}

	f.run("blob", "--in="+f.path("layer.tar.gz"), "--metadata="+f.path("again.json"))
	if f.read("again.json") != f.read("layer.json") {
		t.Errorf("described as %s, built as %s", f.read("again.json"), f.read("layer.json"))
	}

	image := f.json("image.spec.json", spec.Image{
		Version: 1, Target: "//p:image", NewLayers: 1, Layers: []spec.ImageLayer{{Metadata: f.path("layer.json")}},
	})
	f.run("image", "--spec="+image, "--config="+f.path("config.json"), "--config-digest="+f.path("config.sum"),
		"--manifest="+f.path("manifest.json"), "--oci-manifest="+f.path("oci.json"), "--digest="+f.path("digest"))
	if f.read("config.sum") != hexSum(f.read("config.json")) || f.read("digest") != "sha256:"+hexSum(f.read("manifest.json")) {
		t.Error("the digests are not those of the files")
	}
	if !strings.Contains(f.read("oci.json"), "application/vnd.oci.image.manifest.v1+json") {
		t.Errorf("the OCI manifest is %s", f.read("oci.json"))
	}

	tarball := f.json("tarball.spec.json", spec.Tarball{
		Version: 1, Target: "//p:image", Format: "compressed",
		Images: []spec.TarballImage{{Tag: "bazel/p:image", Config: f.path("config.json"),
			Layers: []string{f.path("layer.tar.gz")}, Metadata: []string{f.path("layer.json")}}},
	})
	f.run("tarball", "--spec="+tarball, "--out="+f.path("image.tar"))
	f.run("digest", "--manifest="+f.path("manifest.json"), "--out="+f.path("digest.manifest"))
	f.run("digest", "--tarball="+f.path("image.tar"), "--out="+f.path("digest.tarball"))
	for _, name := range []string{"digest.manifest", "digest.tarball"} {
		if f.read(name) != f.read("digest") {
			t.Errorf("%s is %s, want %s", name, f.read(name), f.read("digest"))
		}
	}
}

func TestErrors(t *testing.T) {
	f := folder{t, t.TempDir()}
	out := f.path("out")
	zstd := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"layers":[{"mediaType":%q,"size":1,"digest":"sha256:%064d"}]}`,
		types.DockerManifestSchema2, types.OCILayerZStd, 1)
	for _, c := range []struct {
		name  string
		args  []string
		usage bool
		want  string
	}{
		{"no command", nil, true, "tarball"},
		{"unknown command", []string{"paint"}, true, "paint"},
		{"unknown flag", []string{"layer", "--colour=red"}, true, "colour"},
		{"arguments", []string{"digest", "--out=" + out, "more"}, true, "more"},
		{"flag missing", []string{"layer", "--spec=x", "--out=" + out}, true, "--metadata"},
		{"nothing to digest", []string{"digest", "--out=" + out}, true, "--manifest"},
		{"too much to digest", []string{"digest", "--manifest=a", "--tarball=b", "--out=" + out}, true, "--tarball"},
		{"spec missing", []string{"image", "--spec=" + f.path("none"), "--config=" + out, "--manifest=" + out}, false, "none"},
		{"image at fault", []string{"image", "--spec=" + f.json("bad.json", spec.Image{Version: 1, Target: "//p:bad", ExposedPorts: []string{"x"}}),
			"--config=" + out, "--manifest=" + out}, false, "//p:bad"},
		{"format", []string{"digest", "--tarball=x", "--format=zip", "--out=" + out}, false, "zip"},
		{"no manifest", []string{"digest", "--manifest=" + f.write("none.json", nil), "--out=" + out}, false, "reading the manifest"},
		{"zstd for Docker", []string{"digest", "--manifest=" + f.write("zstd.json", zstd), "--out=" + out}, false, `format = "OCI"`},
		{"output", []string{"digest", "--manifest=" + f.write("m", []byte("{}")), "--out=" + f.path("no/such/folder")}, false, "folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Run(context.Background(), c.args, &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUsage) != c.usage {
				t.Errorf("got %v, want %q (usage: %v)", err, c.want, c.usage)
			}
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("left an output behind: %v", err)
			}
		})
	}
}

func TestWriteLeavesNothing(t *testing.T) {
	f := folder{t, t.TempDir()}
	err := write(output{f.path("a"), nil}, output{"", nil}, output{f.path("none/b"), nil}, output{f.path("c"), nil})
	if err == nil {
		t.Fatal("no error")
	}
	left, err := os.ReadDir(f.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
