package commands

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder is where a test's files are.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder {
	t.Helper()
	return folder{t, t.TempDir()}
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) write(name, text string) string {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

func (f folder) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// try runs a command. In its arguments, DIR is the folder.
func (f folder) try(name string, args ...string) (stdout, stderr string, err error) {
	f.t.Helper()
	var out, messages bytes.Buffer
	for n := range args {
		args[n] = strings.ReplaceAll(args[n], "DIR", f.dir)
	}
	err = Run(context.Background(), name, Params{Args: args, Stdout: &out, Stderr: &messages})
	return out.String(), messages.String(), err
}

func (f folder) run(name string, args ...string) string {
	f.t.Helper()
	stdout, _, err := f.try(name, args...)
	if err != nil {
		f.t.Fatal(err)
	}
	return stdout
}

func hexSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// members lists a tar: name, mode, owner, mtime and content or target.
func members(t *testing.T, data string) []string {
	t.Helper()
	var list []string
	for r := tar.NewReader(strings.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		owner := fmt.Sprintf("%d.%d", h.Uid, h.Gid)
		if h.Uname+h.Gname != "" {
			owner += fmt.Sprintf("(%s.%s)", h.Uname, h.Gname)
		}
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %o %s %d %s%s", h.Name, h.Mode, owner, h.ModTime.Unix(), h.Linkname, content)))
	}
}

// newImage makes the pieces of an image of two layers, as rules_docker's actions did:
// layerN.tar, layerN.tar.gz, layerN.sum and layerN.id, and config.json.
func newImage(t *testing.T) (f folder, flags []string) {
	t.Helper()
	f = newFolder(t)
	for n, content := range []string{"one", "two"} {
		name := fmt.Sprintf("layer%d", n)
		f.run("build_tar", "--output", f.path(name+".tar"), "--file="+f.write("file", content)+"=srv/"+content)
		f.run("zipper", "-src", f.path(name+".tar"), "-dst", f.path(name+".tar.gz"))
		f.run("sha256", f.path(name+".tar.gz"), f.path(name+".sum"))
		f.run("sha256", f.path(name+".tar"), f.path(name+".id"))
		flags = append(flags, "-layer="+strings.Join([]string{
			f.path(name + ".tar.gz"), f.path(name + ".tar"), f.path(name + ".sum"), f.path(name + ".id"),
		}, ","))
	}
	f.run("create_image_config", "-outputConfig", f.path("config.json"), "-layerDigestFile=@DIR/layer0.id", "-layerDigestFile=@DIR/layer1.id")
	return f, flags
}

// TestImage takes an image through every command.
func TestImage(t *testing.T) {
	f, layers := newImage(t)
	with := func(args ...string) []string { return slices.Concat(layers, args) }

	f.run("join_layers", with("-output=DIR/image.tar", "-tag=team/app:v1=DIR/config.json")...)
	f.run("digester", with("-config=DIR/config.json", "-dst=DIR/digest")...)
	f.run("digester", "-tarball=DIR/image.tar", "-config=DIR/config.json", "-format=Docker", "-dst=DIR/digest2")
	if digest := f.read("digest"); !strings.HasPrefix(digest, "sha256:") || len(digest) != len("sha256:")+64 {
		t.Errorf("digest %q", digest)
	}
	f.run("digester", with("--config=DIR/config.json", "--format=OCI", "--dst=DIR/oci")...)
	if f.read("oci") == f.read("digest") {
		t.Error("the digests of both formats are the same")
	}

	f.run("extract_config", "-imageTar=DIR/image.tar", "-outputConfig=DIR/config2.json", "-outputManifest=DIR/manifest.json")
	if f.read("config2.json") != f.read("config.json") {
		t.Errorf("the configuration changed: %s", f.read("config2.json"))
	}
	// The blobs are compressed anew, by the same compressor: so it is the same image.
	if "sha256:"+hexSum(f.read("manifest.json")) != f.read("digest") {
		t.Errorf("manifest %s is not %s", f.read("manifest.json"), f.read("digest"))
	}

	id := hexSum(f.read("config.json"))
	if got := f.run("extract_image_id", "DIR/image.tar"); got != id+"\n" {
		t.Errorf("image id %q, want %s", got, id)
	}
	f.run("compare_ids_test", "DIR/image.tar", "--id", id)
	f.run("compare_ids_test", "--id=sha256:"+id, "DIR/image.tar", "DIR/image.tar")
	if _, _, err := f.try("compare_ids_test", "DIR/image.tar", "--id="+hexSum("")); err == nil || errors.Is(err, ErrUsage) {
		t.Errorf("another id: %v", err)
	}

	f.run("extract_last_layer", "DIR/image.tar", "DIR/last.tar", "DIR/last.id")
	if f.read("last.tar") != f.read("layer1.tar") || f.read("last.id") != f.read("layer1.id") {
		t.Error("the last layer is another")
	}

	f.run("flattener", with("-config=DIR/config.json", "-filesystem=DIR/flat.tar", "-metadata=DIR/flat.json")...)
	f.run("flattener", "-tarball=DIR/image.tar", "-config=DIR/config.json", "-filesystem=DIR/flat2.tar", "-metadata=DIR/flat2.json")
	want := []string{"./ 755 0.0 0", "srv/ 755 0.0 0", "srv/one 644 0.0 0 one", "srv/two 644 0.0 0 two"}
	if got := members(t, f.read("flat.tar")); !slices.Equal(got, want) {
		t.Errorf("flattened to %q", got)
	}
	if f.read("flat.tar") != f.read("flat2.tar") || f.read("flat.json") != f.read("config.json") {
		t.Error("flattened otherwise from an archive")
	}

	f.write("status", "TAG v2\n")
	f.run("join_layers", "--output=DIR/more.tar", "--experimental-tarball-format=compressed", "--tarball=DIR/image.tar",
		"--basemanifest=x=y", "--tag=team/app:{TAG}=DIR/config.json", "--tag=team/app=DIR/config.json", "--stamp-info-file=DIR/status")
	index := slices.IndexFunc(members(t, f.read("more.tar")), func(m string) bool {
		return strings.HasPrefix(m, "manifest.json ") && strings.Contains(m, "team/app:v2")
	})
	if index < 0 {
		t.Errorf("no team/app:v2 in %.200q", members(t, f.read("more.tar")))
	}
	if got := f.run("extract_image_id", "DIR/more.tar"); got != id+"\n" {
		t.Errorf("image id %q of a compressed archive, want %s", got, id)
	}
	if left, err := filepath.Glob(f.path(".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestZipper(t *testing.T) {
	f := newFolder(t)
	text := strings.Repeat("to be compressed ", 1000)
	f.write("plain", text)
	for _, c := range []struct {
		name string
		args []string
	}{{"best", nil}, {"fast", []string{"--fast"}}, {"fast, as a value", []string{"-fast=true"}}} {
		t.Run(c.name, func(t *testing.T) {
			f.run("zipper", append([]string{"-src=DIR/plain", "-dst=DIR/zipped"}, c.args...)...)
			zipped := f.read("zipped")
			if len(zipped) >= len(text) || !strings.HasPrefix(zipped, "\x1f\x8b\x08\x00\x00\x00\x00\x00") {
				t.Errorf("not gzip without a name and a time: %d bytes, %q", len(zipped), zipped[:10])
			}
			f.run("zipper", "-decompress", "-src=DIR/zipped", "-dst=DIR/again")
			if f.read("again") != text {
				t.Error("it came back changed")
			}
		})
	}
	// What is gzip already is data as any other.
	f.run("zipper", "-src=DIR/zipped", "-dst=DIR/twice")
	f.run("zipper", "-decompress", "-src=DIR/twice", "-dst=DIR/once")
	if f.read("once") != f.read("zipped") {
		t.Error("gzip in gzip came back changed")
	}
}

func TestHelp(t *testing.T) {
	for _, name := range Names() {
		_, stderr, err := newFolder(t).try(name, "--help")
		if err != nil || !strings.Contains(stderr, "Usage: "+name+" [FLAG...]") {
			t.Errorf("%s: %v, %s", name, err, stderr)
		}
	}
}
