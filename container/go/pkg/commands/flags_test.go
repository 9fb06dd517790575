package commands

import (
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestFlags: every flag that upstream's programs have is there, and no other that a user
// could take for upstream's.
func TestFlags(t *testing.T) {
	for name, want := range map[string]string{
		"digester":            "config dst format layer manifest tarball",
		"flattener":           "config filesystem layer manifest metadata tarball",
		"join_layers":         "basemanifest experimental-tarball-format layer output stamp-info-file tag tarball",
		"extract_config":      "imageTar outputConfig outputManifest",
		"zipper":              "decompress dst fast src",
		"sha256":              "",
		"extract_image_id":    "",
		"extract_last_layer":  "",
		"compare_ids_test":    "id",
		"create_image_config": "architecture baseConfig baseManifest command creationTime entrypoint entrypointPrefix env labels layerDigestFile nullCmd nullEntryPoint operatingSystem osVersion outputConfig outputManifest ports stampInfoFile user volumes workdir",
		"build_tar":           "compression deb directory empty_dir empty_file empty_root_dir enable_mtime_preservation file force_posixpath link manifest mode modes mtime output owner owner_name owner_names owners root_directory tar xz_path",
	} {
		set := flag.NewFlagSet(name, flag.ContinueOnError)
		commands()[name].define(set)
		var got []string
		set.VisitAll(func(f *flag.Flag) { got = append(got, f.Name) })
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s has the flags %s, and should have %s", name, text, want)
		}
	}
}

func TestFailures(t *testing.T) {
	f, layers := newImage(t)
	f.run("join_layers", append([]string{"-output=DIR/image.tar", "-tag=a:b=DIR/config.json"}, layers...)...)
	f.write("text", "text")
	f.write("bad.json", `{"files":[],"colour":"red"}`)
	f.write("args", "--output=DIR/o\n--colour\n")
	for _, c := range []struct {
		name  string
		args  []string
		usage bool
		want  string
	}{
		{"digester", nil, false, "Required option -dst was not specified."},
		{"digester", []string{"-dst=DIR/o"}, false, "Neither --tarball nor --config was specified."},
		{"digester", []string{"-dst=DIR/o", "-format=docker"}, false, "it has to be Docker or OCI"},
		{"digester", []string{"-dst=DIR/o", "-config=DIR/config.json", "-layer=a,b,c"}, false, "four comma separated paths"},
		{"digester", []string{"-dst=DIR/o", "-config=DIR/config.json"}, false, "is in none of the files given"},
		{"digester", []string{"-dst=DIR/o", "-colour"}, true, "not defined: -colour; see digester -help"},
		{"digester", []string{"-dst=DIR/o", "what"}, true, `unexpected argument "what"`},
		{"flattener", []string{"-config=c", "-filesystem=f"}, false, "-metadata"},
		{"flattener", []string{"-config=DIR/config.json", "-filesystem=DIR/o", "-metadata=DIR/o2"}, false, "name it by -layer or -tarball"},
		{"flattener", []string{"-config=DIR/text", "-filesystem=DIR/o", "-metadata=DIR/o2"}, false, "not the configuration"},
		{"join_layers", []string{"-output=DIR/o"}, false, "-tag"},
		{"join_layers", []string{"-output=DIR/o", "-tag=a"}, false, "REFERENCE=FILE"},
		{"join_layers", []string{"-output=DIR/o", "-tag=a=b=c"}, false, "one = in it"},
		{"join_layers", append([]string{"-output=DIR/o", "-tag=a:b=DIR/config.json", "-experimental-tarball-format=new"}, layers...), false, "legacy or compressed"},
		{"join_layers", []string{"-output=DIR/o", "-tag=a:b=DIR/config.json", "-layer=DIR/layer0.tar.gz,DIR/layer0.tar,DIR/text,DIR/layer0.id"}, false, "sha256 in hex"},
		{"join_layers", []string{"-output=DIR/o", "-tag=a:b=DIR/config.json", "-tarball=DIR/text"}, false, "DIR/text"},
		{"extract_config", []string{"-imageTar=a"}, false, "-outputConfig"},
		{"extract_config", []string{"-imageTar=DIR/layer0.tar", "-outputConfig=DIR/o", "-outputManifest=DIR/o2"}, false, "docker-save"},
		{"zipper", []string{"-src=DIR/none", "-dst=DIR/o"}, false, "none"},
		{"sha256", []string{"DIR/text"}, true, "got 1 arguments"},
		{"sha256", []string{"DIR/none", "DIR/o"}, false, "none"},
		{"extract_image_id", nil, true, "one archive"},
		{"extract_image_id", []string{"DIR/layer0.tar"}, false, "docker-save"},
		{"extract_last_layer", []string{"a", "b"}, true, "got 2 arguments"},
		{"extract_last_layer", []string{"DIR/image.tar", "DIR/o", "DIR/none/id"}, false, "none"},
		{"compare_ids_test", nil, false, "nothing to compare"},
		{"create_image_config", nil, false, "-outputConfig"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-nullCmd", "-command=a"}, true, "contradict"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-labels=a"}, false, "KEY=VALUE"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-env=a"}, false, "KEY=VALUE"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-layerDigestFile=@DIR/text"}, false, "-layerDigestFile"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-baseConfig=DIR/text"}, false, "DIR/text"},
		{"create_image_config", []string{"-outputConfig=DIR/o", "-outputManifest=DIR/o2", "-creationTime=soon"}, false, "soon"},
		{"build_tar", nil, false, "-output"},
		{"build_tar", []string{"--output=DIR/o", "--manifest=DIR/bad.json"}, false, "colour"},
		{"build_tar", []string{"--output=DIR/o", "--mode=rw"}, false, "octal"},
		{"build_tar", []string{"--output=DIR/o", "--mtime=soon"}, false, "soon"},
		{"build_tar", []string{"--output=DIR/o", "--compression=bz2"}, false, "gz, tgz or none"},
		{"build_tar", []string{"--output=DIR/o", "--owner=root"}, false, "UID.GID"},
		{"build_tar", []string{"--output=DIR/o", "--owners=a"}, false, "PATH=VALUE"},
		{"build_tar", []string{"--output=DIR/o", "--modes=a=rw"}, false, "octal"},
		{"build_tar", []string{"--output=DIR/o", "--file=a"}, false, "SOURCE=PATH"},
		{"build_tar", []string{"--output=DIR/o", "--link=a"}, false, "PATH:TARGET"},
		{"build_tar", []string{"--output=DIR/o", "--tar=DIR/text"}, false, "DIR/text"},
		{"build_tar", []string{"--output=DIR/o", "--enable_mtime_preservation=perhaps"}, true, "True or False"},
		{"build_tar", []string{"--output=DIR/o", "--root_directory=Files", "--empty_root_dir=Other"}, false, "Files and Hives"},
		{"build_tar", []string{"@DIR/none"}, false, "reading arguments"},
		{"build_tar", []string{"@DIR/args"}, true, "-colour"},
	} {
		t.Run(c.name+" "+strings.Join(c.args, " "), func(t *testing.T) {
			_, _, err := f.try(c.name, slices.Clone(c.args)...)
			want := strings.ReplaceAll(c.want, "DIR", f.dir)
			if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrUsage) != c.usage || !strings.HasPrefix(err.Error(), c.name+": ") {
				t.Errorf("got %v, want %q", err, want)
			}
			for _, name := range []string{"o", "o2"} {
				if _, err := os.Stat(f.path(name)); err == nil {
					t.Errorf("%s was written", name)
				}
			}
		})
	}
	if err := Run(t.Context(), "painter", Params{Stdout: io.Discard, Stderr: io.Discard}); !errors.Is(err, ErrUsage) {
		t.Errorf("an unknown command: %v", err)
	}
}
