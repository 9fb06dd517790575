package commands

import (
	"encoding/json"
	"strings"
	"testing"
)

const base = `{"architecture":"arm64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"],"Entrypoint":["tini"],"User":"root"},` +
	`"rootfs":{"type":"layers","diff_ids":["sha256:BASE"]},"history":[{"created_by":"base"}]}`

func TestCreateImageConfig(t *testing.T) {
	const one = "-layerDigestFile=@DIR/id"
	for _, c := range []struct {
		name    string
		args    []string
		want    []string
		without string
	}{
		{"from scratch", []string{one}, []string{`"architecture":"amd64"`, `"os":"linux"`, `"created":"1970-01-01T00:00:00Z"`, `"author":"Bazel"`,
			`"created_by":"bazel build ..."`, `"diff_ids":["sha256:NEW"]`}, "Entrypoint"},
		{"on a base", []string{"-baseConfig=DIR/base.json", one}, []string{`"architecture":"arm64"`, `"diff_ids":["sha256:BASE","sha256:NEW"]`,
			`"Cmd":["sh"]`, `"Entrypoint":["tini"]`, `"User":"root"`, `"history":[{"created_by":"base"},{`}, ""},
		{"without layers", []string{"-baseConfig=DIR/base.json"}, []string{`"diff_ids":["sha256:BASE"]`}, ""},
		{"platform", []string{"-architecture=s390x", "-operatingSystem=windows", "-osVersion=10.{KEY}"}, []string{`"s390x"`, `"windows"`, `"os.version":"10.value"`}, ""},
		{"time in seconds", []string{"-creationTime=1.5"}, []string{`"created":"1970-01-01T00:00:01.5Z"`}, ""},
		{"time of the build", []string{"-creationTime={NOW}"}, []string{`"created":"2001-09-09T01:46:40Z"`}, ""},
		{"time as text", []string{"-creationTime=2024-02-03T04:05:06Z"}, []string{`"created":"2024-02-03T04:05:06Z"`}, ""},
		{"user and directory", []string{"--user={KEY}", "--workdir=/srv/{KEY}"}, []string{`"User":"value"`, `"WorkingDir":"/srv/value"`}, ""},
		{"command", []string{"-command=a", "-command={KEY}", "-entrypoint=b"}, []string{`"Cmd":["a","value"]`, `"Entrypoint":["b"]`}, ""},
		{"none of the base's", []string{"-baseConfig=DIR/base.json", "-nullEntryPoint=True", "-nullCmd"}, nil, `"Cmd"`},
		{"launcher", []string{"-baseConfig=DIR/base.json", "-entrypointPrefix=/l", "-entrypointPrefix=-v"}, []string{`"Entrypoint":["/l","-v","tini"]`}, ""},
		{"ports", []string{"-ports=80", "-ports=53/udp"}, []string{`"ExposedPorts":{"53/udp":{},"80/tcp":{}}`}, ""},
		{"volumes", []string{"-volumes=/data"}, []string{`"Volumes":{"/data":{}}`}, ""},
		{"environment", []string{"-baseConfig=DIR/base.json", "-env=PATH=/sbin:$PATH", "-env=K={KEY}=x"}, []string{`"Env":["PATH=/sbin:/bin","K=value=x"]`}, ""},
		{"labels", []string{"-labels=a={KEY}", "-labels=b=@DIR/text", `-labels=c=\@me`, "-labels=d="},
			[]string{`"Labels":{"a":"value","b":"a text\n","c":"@me","d":""}`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFolder(t)
			ids := strings.NewReplacer("BASE", hexSum("base"), "NEW", hexSum("new"))
			f.write("base.json", ids.Replace(base))
			f.write("id", hexSum("new"))
			f.write("text", "a text\n")
			f.write("manifest.json", `{"layers":[]}`)
			f.write("status", "KEY other\n")
			f.write("volatile", "KEY value\nNOW 1000000000\n")
			args := []string{"-outputConfig=DIR/config.json", "-outputManifest=DIR/manifest2.json", "-stampInfoFile=DIR/status", "-stampInfoFile=DIR/volatile"}
			f.run("create_image_config", append(args, c.args...)...)
			got := f.read("config.json")
			if !json.Valid([]byte(got)) {
				t.Fatalf("not JSON: %s", got)
			}
			for _, want := range c.want {
				if !strings.Contains(got, ids.Replace(want)) {
					t.Errorf("no %s in\n%s", want, got)
				}
			}
			if c.without != "" && strings.Contains(got, c.without) {
				t.Errorf("%s in\n%s", c.without, got)
			}
			if manifest := f.read("manifest2.json"); manifest != "{}" {
				t.Errorf("manifest %s", manifest)
			}
			f.run("create_image_config", "-outputConfig=DIR/o", "-baseManifest=DIR/manifest.json", "-outputManifest=DIR/manifest2.json")
			if f.read("manifest2.json") != f.read("manifest.json") {
				t.Errorf("the base's manifest became %s", f.read("manifest2.json"))
			}
		})
	}
}
