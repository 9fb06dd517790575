package image

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

func setURLs(m *spec.LayerMetadata) { m.URLs = []string{"https://x.test/l?a=1&b=2"} }

func setType(name string) func(*spec.LayerMetadata) {
	return func(m *spec.LayerMetadata) { m.MediaType = name }
}

func TestManifests(t *testing.T) {
	const docker, oci = "application/vnd.docker.image.rootfs.", "application/vnd.oci.image.layer."
	const zstd = oci + "v1.tar+zstd"
	for _, c := range []struct {
		name, mediaType string
		change          func(*spec.LayerMetadata)
		docker, oci     string
		urls            string
	}{
		{"gzip", docker + "diff.tar.gzip", nil, docker + "diff.tar.gzip", oci + "v1.tar+gzip", ""},
		{"gzip of the OCI", oci + "v1.tar+gzip", nil, docker + "diff.tar.gzip", oci + "v1.tar+gzip", ""},
		{"plain", docker + "diff.tar", nil, docker + "diff.tar", oci + "v1.tar", ""},
		{"plain of the OCI", oci + "v1.tar", nil, docker + "diff.tar", oci + "v1.tar", ""},
		{"zstd", zstd, nil, zstd, zstd, ""},
		{"foreign", docker + "foreign.diff.tar.gzip", setURLs, docker + "foreign.diff.tar.gzip", oci + "nondistributable.v1.tar+gzip", `,"urls":["https://x.test/l?a=1&b=2"]`},
		{"foreign by its URLs", docker + "diff.tar.gzip", setURLs, docker + "foreign.diff.tar.gzip", oci + "nondistributable.v1.tar+gzip", `,"urls":["https://x.test/l?a=1&b=2"]`},
		{"foreign and plain", oci + "nondistributable.v1.tar", nil, docker + "foreign.diff.tar", oci + "nondistributable.v1.tar", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*spec.LayerMetadata) {}
			}
			i := scratch(t)
			i.Layers = []spec.ImageLayer{newLayer(t, "a", "1", setType(c.mediaType), change)}
			r := build(t, i)
			const form = `{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","size":%d,"digest":"%s"},` +
				`"layers":[{"mediaType":"%s","size":100,"digest":"` + "%s" + `"%s}]}`
			same(t, "Docker manifest", string(r.Manifest), fmt.Sprintf(form,
				"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json",
				len(r.Config), r.ConfigDigest, c.docker, hex64("1"), c.urls))
			same(t, "OCI manifest", string(r.OCIManifest), fmt.Sprintf(form,
				"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json",
				len(r.Config), r.ConfigDigest, c.oci, hex64("1"), c.urls))
		})
	}
}

// Digests computed by sha256sum over the documents written out by hand.
func TestDigests(t *testing.T) {
	i := spec.Image{Target: "//p:x"}
	r := build(t, i)
	same(t, "config", string(r.Config), `{"architecture":"amd64","author":"Bazel","created":"1970-01-01T00:00:00Z",`+
		`"history":[{"author":"Bazel","created":"1970-01-01T00:00:00Z","created_by":"bazel build //p:x","empty_layer":true}],`+
		`"os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}`)
	same(t, "config digest", r.ConfigDigest.String(), "sha256:79110babd9078b83a2fab39db4d3274d31c5c3be170a73d03f8d567fb33e42a8")
	same(t, "digest", r.Digest.String(), "sha256:32288f1bcfca26c376d946bbddc235ddb825b87aa314f16c4e761b507f5a69eb")
	same(t, "OCI digest", r.OCIDigest.String(), "sha256:2ce1f2e47d7ded5c38b789101385f628993f6b6697366897a3e6338cfb8dcb9c")
	same(t, "manifest", string(r.Manifest), `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",`+
		`"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":256,"digest":"sha256:79110babd9078b83a2fab39db4d3274d31c5c3be170a73d03f8d567fb33e42a8"},"layers":[]}`)
}

func TestForeignBase(t *testing.T) {
	const foreign = `{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":7,"digest":"%s","urls":["https://x.test/w"]}`
	other := `{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":1,"digest":"` + hex64("9") + `"}`
	for _, c := range []struct {
		name, layers string
		want         string // of the base's layer in the Docker manifest; "" for an ordinary one
	}{
		{"by digest", other + "," + fmt.Sprintf(foreign, hex64("1")), fmt.Sprintf(foreign, hex64("1"))},
		{"by position, compressed anew", fmt.Sprintf(foreign, hex64("8")), fmt.Sprintf(foreign, hex64("8"))},
		{"neither", other + "," + fmt.Sprintf(foreign, hex64("8")), ""},
		{"ordinary", other, ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := onBase(t, `{"rootfs":{"diff_ids":DIFFS}}`)
			i.BaseManifest = file(t, "manifest.json", `{"schemaVersion":2,"layers":[`+c.layers+`]}`)
			want := c.want
			if want == "" {
				want = `{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":100,"digest":"` + hex64("1") + `"}`
			}
			top := `{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":100,"digest":"` + hex64("2") + `"}`
			r := build(t, i)
			same(t, "layers", string(member(t, r.Manifest, "layers")), "["+want+","+top+"]")
			if c.want != "" && !strings.Contains(string(r.OCIManifest), "image.layer.nondistributable.v1.tar+gzip") {
				t.Errorf("OCI manifest: %s", r.OCIManifest)
			}
		})
	}
}

func TestVerbatim(t *testing.T) {
	text := "{ \"rootfs\": {\"diff_ids\": DIFFS},\n\t\"config\": {\"Env\": null} }\n"
	i := onBase(t, text)
	i.Verbatim, i.Layers, i.NewLayers = true, i.Layers[:1], 0
	i.User, i.CreationTime = "ignored", "nonsense"
	want, err := os.ReadFile(i.BaseConfig)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "config", string(build(t, i).Config), string(want))

	i.Layers = []spec.ImageLayer{newLayer(t, "c", "1")}
	if _, err := Build(i); !errors.Is(err, ErrBase) {
		t.Errorf("err = %v, want ErrBase", err)
	}
}

func TestBadInput(t *testing.T) {
	const good = `{"rootfs":{"diff_ids":DIFFS}}`
	for _, c := range []struct {
		name, base string
		change     func(*spec.Image)
		want       string
	}{
		{"too few layers", good, func(i *spec.Image) { i.NewLayers = 2 }, "lists 1 layers (rootfs.diff_ids) and 0 are given"},
		{"too many layers", good, func(i *spec.Image) { i.NewLayers = 0 }, "lists 1 layers (rootfs.diff_ids) and 2 are given"},
		{"another layer", `{"rootfs":{"diff_ids":["` + hex64("c") + `"]}}`, nil, "layer 1 of 1"},
		{"layers without a base", good, func(i *spec.Image) { i.BaseConfig = "" }, "no base configuration"},
		{"more new layers than layers", good, func(i *spec.Image) { i.NewLayers = 3 }, "3 of them cannot be new"},
		{"a negative number", good, func(i *spec.Image) { i.NewLayers = -1 }, "cannot be new"},
		{"verbatim and new layers", good, func(i *spec.Image) { i.Verbatim = true }, "1 new layers"},
		{"verbatim and nothing", good, func(i *spec.Image) { i.Verbatim, i.BaseConfig = true, "" }, "base_config is empty"},
		{"absent", good, func(i *spec.Image) { i.BaseConfig = "absent.json" }, "absent.json"},
		{"absent manifest", good, func(i *spec.Image) { i.BaseManifest = "absent.json" }, "absent.json"},
		{"not a manifest", good, func(i *spec.Image) { i.BaseManifest = file(t, "m.json", "[]") }, "m.json: not the manifest"},
		{"absent metadata", good, func(i *spec.Image) { i.Layers[0].Metadata = "absent.json" }, "absent.json"},
		{"absent status file", good, func(i *spec.Image) { i.StampFiles = []string{"absent.txt"} }, "absent.txt"},
		{"not JSON", `rootfs`, nil, "base.json: not the configuration of an image"},
		{"not an object", `[]`, nil, "base.json: not the configuration of an image"},
		{"text after it", good + `{}`, nil, "base.json: not the configuration of an image"},
		{"not a digest", `{"rootfs":{"diff_ids":["x"]}}`, nil, "rootfs: diff_ids"},
		{"a wrong config", `{"config":1}`, nil, "config"},
		{"a wrong Env", bare + `{"Env":1}}`, func(i *spec.Image) { i.Env = []spec.KeyValue{{Key: "A"}} }, "Env"},
		{"a wrong Entrypoint", bare + `{"Entrypoint":"x"}}`, func(i *spec.Image) { i.LauncherPrefix = []string{"x"} }, "Entrypoint"},
		{"wrong Labels", bare + `{"Labels":[]}}`, func(i *spec.Image) { i.Labels = []spec.Label{{Key: "x"}} }, "Labels"},
		{"wrong Volumes", bare + `{"Volumes":[]}}`, func(i *spec.Image) { i.Volumes = []string{"/"} }, "Volumes"},
		{"wrong history", `{"history":1}`, nil, "history"},
		{"a wrong architecture", `{"architecture":1,"rootfs":{"diff_ids":DIFFS}}`, nil, "architecture"},
		{"an unknown media type", good, func(i *spec.Image) { i.Layers[1] = newLayer(t, "b", "2", setType("text/plain")) }, `"text/plain"`},
		{"a wrong digest", good, func(i *spec.Image) {
			i.Layers[1] = newLayer(t, "b", "2", func(m *spec.LayerMetadata) { m.Digest = "md5:1" })
		}, "digest"},
		{"a wrong diff id", good, func(i *spec.Image) {
			i.Layers[1] = newLayer(t, "b", "2", func(m *spec.LayerMetadata) { m.DiffID = "" })
		}, "diff_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := onBase(t, c.base)
			if c.change != nil {
				c.change(&i)
			}
			r, err := Build(i)
			if err == nil {
				t.Fatalf("built %s", r.Config)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v, want one with %q", err, c.want)
			}
		})
	}
}

func FuzzBaseConfig(f *testing.F) {
	f.Add([]byte(`{"config":{"Env":["A"],"Labels":null,"x":[1.0]},"rootfs":{"diff_ids":[]},"history":[{}],"variant":"v8"}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"config":[],"os":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := parseBase(data)
		if err != nil {
			return
		}
		i := spec.Image{Target: "//p:x"}
		first, err := configure(i, b, nil, nil)
		if err != nil {
			return
		}
		again, err := parseBase(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		// All but the one more entry of history is as before.
		again.history = again.history[:len(again.history)-1]
		second, err := configure(i, again, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if string(first) != string(second) {
			t.Errorf("not stable:\n%s\n%s", first, second)
		}
	})
}
