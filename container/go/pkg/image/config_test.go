package image

import (
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

const bare = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":DIFFS},"config":`

func TestScratch(t *testing.T) {
	same(t, "config", string(build(t, scratch(t)).Config),
		`{"architecture":"amd64","author":"Bazel","created":"1970-01-01T00:00:00Z",`+
			`"history":[{"author":"Bazel","created":"1970-01-01T00:00:00Z","created_by":"bazel build //p:x"}],`+
			`"os":"linux","rootfs":{"type":"layers","diff_ids":["`+hex64("a")+`"]},"config":{}}`)
}

// Everything at once: the order of keys, what a step replaces, and that whatever is
// not known survives as it was written.
func TestGolden(t *testing.T) {
	i := onBase(t, ` {
		"variant": "v8", "zzz": {"n": 1.000, "e": "\u003c<&"}, "os.features": ["win32k"], "moby.buildkit": null,
		"config": {"Tty": false, "Hostname": "", "Env": ["PATH=/bin","Z=1"], "Cmd": ["serve"], "Entrypoint": ["/old"],
			"Image": "sha256:1", "OnBuild": null, "Labels": {"z": "<z>", "a": "1"}, "User": "0",
			"Healthcheck": {"Test": ["NONE"]}, "StopSignal": "SIGINT", "Shell": ["/bin/ash"], "x-own": [ 1 ],
			"ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "WorkingDir": "/old"},
		"rootfs": {"diff_ids": DIFFS, "type": "layers", "base_layer": "q"},
		"history": [{"created_by": "base <1>", "comment":"c"}, {"created_by": "ENV", "empty_layer": true}],
		"os": "linux", "architecture": "arm64", "created": "2020-02-02T00:00:00Z", "author": "somebody",
		"container": "c0", "docker_version": "20.10.1", "os.version": "1"}`)
	i.Layers[1].Env = []spec.KeyValue{{Key: "PATH", Value: "/opt:$PATH"}, {Key: "L", Value: "layer"}}
	i.OSVersion = "10"
	i.CreationTime = "1600000000"
	i.Entrypoint = []string{"/new", "a<b"}
	i.Env = []spec.KeyValue{{Key: "B", Value: "${L}-$NONE"}, {Key: "A", Value: "$PATH"}}
	i.Labels = []spec.Label{{Key: "a", Value: "2"}, {Key: "f", File: file(t, "label", "text & {BUILD_USER}\n")}}
	i.ExposedPorts = []string{"9", "53/udp"}
	i.Volumes = []string{"/a"}
	i.User = "1001"
	i.WorkingDir = "/work"
	same(t, "config", string(build(t, i).Config),
		`{"architecture":"arm64","author":"Bazel","container":"c0","created":"2020-09-13T12:26:40Z",`+
			`"docker_version":"20.10.1","history":[{"created_by":"base <1>","comment":"c"},`+
			`{"created_by":"ENV","empty_layer":true},`+
			`{"author":"Bazel","created":"2020-09-13T12:26:40Z","created_by":"bazel build //p:x"}],"os":"linux",`+
			`"rootfs":{"type":"layers","diff_ids":["`+hex64("a")+`","`+hex64("b")+`"],"base_layer":"q"},`+
			`"config":{"Cmd":["serve"],"Healthcheck":{"Test":["NONE"]},"Entrypoint":["/new","a<b"],`+
			`"Env":["PATH=/opt:/bin","Z=1","L=layer","B=layer-$NONE","A=/opt:/bin"],"Image":"sha256:1",`+
			`"Labels":{"a":"2","f":"text & {BUILD_USER}\n","z":"<z>"},"User":"1001",`+
			`"Volumes":{"/a":{},"/data":{}},"WorkingDir":"/work",`+
			`"ExposedPorts":{"53/udp":{},"80/tcp":{},"9/tcp":{}},"StopSignal":"SIGINT","Shell":["/bin/ash"],"x-own":[1]},`+
			`"os.version":"10","moby.buildkit":null,"os.features":["win32k"],"variant":"v8","zzz":{"n":1.000,"e":"\u003c<&"}}`)
}

func TestPlatform(t *testing.T) {
	for _, c := range []struct {
		name, base, architecture, os string
		want                         string
	}{
		{"an arm base is not mislabelled", `"architecture":"arm64","variant":"v8","os":"linux"`, "", "", "arm64/linux/v8"},
		{"the same architecture keeps the variant", `"architecture":"arm","variant":"v6","os":"linux"`, "arm", "linux", "arm/linux/v6"},
		{"another architecture drops the variant", `"architecture":"arm64","variant":"v8","os":"linux"`, "amd64", "", "amd64/linux/"},
		{"another os", `"architecture":"amd64","os":"linux"`, "", "windows", "amd64/windows/"},
		{"a base that says nothing", `"x":1`, "", "", "amd64/linux/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := onBase(t, `{`+c.base+`,"rootfs":{"diff_ids":DIFFS}}`)
			i.Architecture, i.OS = c.architecture, c.os
			config := build(t, i).Config
			got := ""
			for _, key := range []string{"architecture", "os", "variant"} {
				got += "/" + strings.Trim(string(member(t, config, key)), `"`)
			}
			same(t, "platform", got, "/"+c.want)
		})
	}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		name, document, want string
	}{
		{"null keeps both", `"entrypoint":null,"cmd":null`, `{"Cmd":["c"],"Entrypoint":["e"]}`},
		{"absent keeps both", `"user":""`, `{"Cmd":["c"],"Entrypoint":["e"]}`},
		{"[] removes the entrypoint", `"entrypoint":[]`, `{"Cmd":["c"]}`},
		{"[] removes the command", `"cmd":[]`, `{"Entrypoint":["e"]}`},
		{"an entrypoint leaves the command alone", `"entrypoint":["n"]`, `{"Cmd":["c"],"Entrypoint":["n"]}`},
		{"a command leaves the entrypoint alone", `"cmd":["n"]`, `{"Cmd":["n"],"Entrypoint":["e"]}`},
		{"a launcher before what is inherited", `"launcher_prefix":["/l","-x"]`, `{"Cmd":["c"],"Entrypoint":["/l","-x","e"]}`},
		{"a launcher before a new entrypoint", `"launcher_prefix":["/l"],"entrypoint":["n"]`, `{"Cmd":["c"],"Entrypoint":["/l","n"]}`},
		{"a launcher alone", `"launcher_prefix":["/l"],"entrypoint":[]`, `{"Cmd":["c"],"Entrypoint":["/l"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := onBase(t, bare+`{"Entrypoint":["e"],"Cmd":["c"]}}`)
			var i spec.Image
			if err := spec.Decode([]byte(`{"version":1,`+c.document+`}`), &i); err != nil {
				t.Fatal(err)
			}
			i.BaseConfig = base.BaseConfig
			// Two new layers: the launcher is prepended once all the same.
			i.Layers, i.NewLayers = append(base.Layers, newLayer(t, "c", "3")), 2
			same(t, "config", inner(t, i), c.want)
		})
	}
}

func TestEnv(t *testing.T) {
	kv := func(pairs ...string) []spec.KeyValue {
		var list []spec.KeyValue
		for n := 0; n < len(pairs); n += 2 {
			list = append(list, spec.KeyValue{Key: pairs[n], Value: pairs[n+1]})
		}
		return list
	}
	for _, c := range []struct {
		name, base  string
		layer, last []spec.KeyValue
		want        string
	}{
		{"order of the base is kept", `["Z=1","A=2"]`, nil, kv("M", "3", "B", "4"), `["Z=1","A=2","M=3","B=4"]`},
		{"replaced in place", `["Z=1","A=2"]`, nil, kv("Z", "9"), `["Z=9","A=2"]`},
		{"without =", `["ODD","A=2"]`, nil, kv("B", "$ODD"), `["ODD","A=2","B=$ODD"]`},
		{"named twice", `["A=1","B=2","A=3"]`, nil, kv("A", "4"), `["A=4","B=2"]`},
		{"untouched", `["A=\u003c","A=3"]`, nil, nil, `["A=\u003c","A=3"]`},
		{"references", `["A=1"]`, nil, kv("X", "$A ${A} $B ${B} $$A ${ $"), `["A=1","X=1 1 $B ${B} $1 ${ $"]`},
		{"a longer name is another one", `["A=1"]`, nil, kv("X", "$AB ${A}B"), `["A=1","X=$AB 1B"]`},
		{"a step does not see itself", `["A=1"]`, nil, kv("A", "2", "B", "$A"), `["A=2","B=1"]`},
		{"the image sees its layers", `[]`, kv("A", "1"), kv("B", "$A"), `["A=1","B=1"]`},
		{"the image wins", `[]`, kv("A", "1"), kv("A", "2$A"), `["A=21"]`},
		{"a value with =", `[]`, nil, kv("A", "b=c"), `["A=b=c"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := onBase(t, bare+`{"Env":`+c.base+`}}`)
			i.Layers[0].Env = kv("BASE", "is in its configuration already")
			i.Layers[1].Env, i.Env = c.layer, c.last
			same(t, "config", inner(t, i), `{"Env":`+c.want+`}`)
		})
	}
}

func TestPorts(t *testing.T) {
	for text, want := range map[string]string{
		"80": `"80/tcp"`, "80/tcp": `"80/tcp"`, "80/udp": `"80/udp"`, "80/sctp": `"80/sctp"`, "80/TCP": `"80/tcp"`,
		"8000-8002/udp": `"8000/udp" "8001/udp" "8002/udp"`, "65534-65535": `"65534/tcp" "65535/tcp"`,
		"": "", "0": "", "65536": "", "99999999999": "", "http": "", "80/": "", "80/icmp": "", "80/sctp/tcp": "",
		"9-8": "", "9-70000": "", "-1": "", "8-": "", "x80": "", "80 ": "",
	} {
		t.Run(text, func(t *testing.T) {
			i := scratch(t)
			i.ExposedPorts = []string{text}
			if want == "" {
				if _, err := Build(i); err == nil || !strings.Contains(err.Error(), `port "`+text+`"`) {
					t.Errorf("err = %v, want one that names the port", err)
				}
				return
			}
			want := strings.ReplaceAll(want, `" "`, `":{},"`) + ":{}"
			same(t, "config", inner(t, i), `{"ExposedPorts":{`+want+`}}`)
		})
	}
}

func TestCreated(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "1970-01-01T00:00:00Z",
		"0":                         "1970-01-01T00:00:00Z",
		"1.5":                       "1970-01-01T00:00:01.5Z",
		"1600000000.1":              "2020-09-13T12:26:40.1Z",
		"1.6e+09":                   "2020-09-13T12:26:40Z",
		"100000000000":              "5138-11-16T09:46:40Z",
		"1600000000123":             "2020-09-13T12:26:40.123Z",
		"-1":                        "1969-12-31T23:59:59Z",
		"2020-01-02T03:04:05Z":      "2020-01-02T03:04:05Z",
		"2020-01-02T03:04:05+02:00": "2020-01-02T03:04:05+02:00",
		"2020-01-02T03:04:05.25Z":   "2020-01-02T03:04:05.25Z",
		"2020-01-02":                "", "now": "", "1/2": "", "NaN": "", "0x10": "", "1e300": "", "-1e12": "", "{BUILD_TIMESTAMP}": "",
	} {
		t.Run(text, func(t *testing.T) {
			i := scratch(t)
			i.CreationTime = text
			if want == "" {
				if _, err := Build(i); err == nil || !strings.Contains(err.Error(), "creation_time") {
					t.Errorf("err = %v, want one that names creation_time", err)
				}
				return
			}
			config := build(t, i).Config
			same(t, "created", string(member(t, config, "created")), `"`+want+`"`)
			same(t, "history", string(member(t, config, "history")),
				`[{"author":"Bazel","created":"`+want+`","created_by":"bazel build //p:x"}]`)
		})
	}
}

func TestHistory(t *testing.T) {
	entry := `{"author":"Bazel","created":"1970-01-01T00:00:00Z","created_by":"bazel build //p:x"}`
	for _, c := range []struct {
		name, base string
		layers     int
		want       string
	}{
		{"the base's comes first", `[{"created_by":"b"}]`, 2, `[{"created_by":"b"},` + entry + `,` + entry + `]`},
		{"a base without", `null`, 1, `[` + entry + `]`},
		{"no new layer", `[{"created_by":"b"}]`, 0,
			`[{"created_by":"b"},` + strings.TrimSuffix(entry, "}") + `,"empty_layer":true}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := onBase(t, `{"history":`+c.base+`,"rootfs":{"diff_ids":DIFFS}}`)
			i.Layers, i.NewLayers = i.Layers[:1], 0
			for range c.layers {
				i.Layers = append(i.Layers, newLayer(t, "b", "2"))
				i.NewLayers++
			}
			same(t, "history", string(member(t, build(t, i).Config, "history")), c.want)
		})
	}
	for target, want := range map[string]string{
		"//p:x": "//p:x", "@//p:x": "//p:x", "@@//p:x": "//p:x", "@@r//p:x": "@r//p:x", "@r//p:x": "@r//p:x",
		"@@m~//p:x": "@m+//p:x", "@@m+//p:x": "@m+//p:x", "@@m~~e~r//p:a~b": "@m++e+r//p:a~b",
	} {
		t.Run(target, func(t *testing.T) { same(t, "label", label(target), want) })
	}
}

func TestStamping(t *testing.T) {
	i := onBase(t, bare+`{"Env":["BASE={KEY}"]}}`)
	i.StampFiles = []string{file(t, "stable", "KEY no\nBUILD_TIMESTAMP 1600000000\n"), file(t, "volatile", "KEY <v>\n")}
	i.Entrypoint, i.Cmd = []string{"e{KEY}"}, []string{"c{KEY}", "{OTHER}"}
	i.User, i.WorkingDir, i.OSVersion = "u{KEY}", "/{KEY}", "o{KEY}"
	i.Env = []spec.KeyValue{{Key: "{KEY}", Value: "{KEY}$BASE"}}
	i.Labels = []spec.Label{{Key: "{KEY}", Value: "{KEY}"}, {Key: "file", File: file(t, "label", "{KEY}")}}
	i.Volumes = []string{"/{KEY}"}
	config := build(t, i).Config
	same(t, "created", string(member(t, config, "created")), `"2020-09-13T12:26:40Z"`)
	same(t, "os.version", string(member(t, config, "os.version")), `"o<v>"`)
	same(t, "config", string(member(t, config, "config")),
		`{"Cmd":["c<v>","{OTHER}"],"Entrypoint":["e<v>"],"Env":["BASE={KEY}","{KEY}=<v>{KEY}"],`+
			`"Labels":{"file":"{KEY}","{KEY}":"<v>"},"User":"u<v>","Volumes":{"/{KEY}":{}},"WorkingDir":"/<v>"}`)

	i.StampFiles = nil
	config = build(t, i).Config
	same(t, "created unstamped", string(member(t, config, "created")), `"1970-01-01T00:00:00Z"`)
	same(t, "Cmd unstamped", string(member(t, member(t, config, "config"), "Cmd")), `["c{KEY}","{OTHER}"]`)

	i.CreationTime, i.StampFiles = "{T}", []string{file(t, "status", "T 1\n")}
	same(t, "created", string(member(t, build(t, i).Config, "created")), `"1970-01-01T00:00:01Z"`)
}

func TestLabels(t *testing.T) {
	i := scratch(t)
	i.Labels = []spec.Label{{Key: "empty"}, {Key: "at", Value: "@literal"}}
	same(t, "config", inner(t, i), `{"Labels":{"at":"@literal","empty":""}}`)
	for name, path := range map[string]string{"absent": "absent", "binary": file(t, "label", "\xff\xfe")} {
		t.Run(name, func(t *testing.T) {
			i.Labels = []spec.Label{{Key: "k", File: path}}
			if _, err := Build(i); err == nil || !strings.Contains(err.Error(), "label k") {
				t.Errorf("err = %v, want one that names the label", err)
			}
		})
	}
}
