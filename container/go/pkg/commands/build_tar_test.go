package commands

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestBuildTar(t *testing.T) {
	f := newFolder(t)
	f.write("a", "A")
	if err := os.Chmod(f.write("x", "X"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.run("build_tar", "--output=DIR/in.tar", "--file=DIR/a=lib/a", "--mtime=77", "--owner=5.6")
	f.write("manifest.json", strings.ReplaceAll(`{"files":[{"src":"DIR/a","dst":"one/a"}],"symlinks":[{"linkname":"l","target":"one/a"}],`+
		`"empty_files":["e"],"empty_dirs":["d"],"empty_root_dirs":["r"],"tars":["DIR/in.tar"],"debs":[]}`, "DIR", f.dir))
	f.write("args", strings.ReplaceAll("--file=DIR/a=a\n--mode=0o444\n", "DIR", f.dir))
	if err := os.MkdirAll(f.path("dir/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.write("dir/sub/b", "B")
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"nothing", nil, nil},
		{"file", []string{"--file=DIR/a=/srv/a"}, []string{"./ 755 0.0 0", "./srv/ 755 0.0 0", "./srv/a 644 0.0 0 A"}},
		{"flags as words", []string{"--file", "DIR/x=x", "--mtime", "portable"}, []string{"./ 755 0.0 946684800", "./x 755 0.0 946684800 X"}},
		{"single dashes", []string{"-file=DIR/a=a", "-mode=0555"}, []string{"./ 755 0.0 0", "./a 555 0.0 0 A"}},
		{"a list of arguments", []string{"@DIR/args", "--mtime=5"}, []string{"./ 755 0.0 5", "./a 444 0.0 5 A"}},
		{"a directory for some of it", []string{"--directory=/opt", "--mode=555", "--file=DIR/a=a", "--empty_file=e", "--empty_dir=d", "--link=l:a"},
			[]string{"./ 755 0.0 0", "./opt/ 755 0.0 0", "./opt/a 555 0.0 0 A", "./e 555 0.0 0", "./d/ 555 0.0 0", "./l 755 0.0 0 a"}},
		{"tar", []string{"--tar=DIR/in.tar", "--directory=opt"}, []string{"./ 755 0.0 0", "./opt/ 755 0.0 0", "./opt/lib/ 755 0.0 0", "./opt/lib/a 644 5.6 0 A"}},
		{"times of a tar", []string{"--tar=DIR/in.tar", "--enable_mtime_preservation=True"}, []string{"./ 755 0.0 0", "./lib/ 755 0.0 77", "./lib/a 644 5.6 77 A"}},
		{"no times of a tar", []string{"--tar=DIR/in.tar", "--enable_mtime_preservation=False"}, []string{"./ 755 0.0 0", "./lib/ 755 0.0 0", "./lib/a 644 5.6 0 A"}},
		{"manifest", []string{"--manifest=DIR/manifest.json", "--mode=0o555", "--xz_path=xz", "--force_posixpath=True"},
			[]string{"./ 755 0.0 0", "./one/ 755 0.0 0", "./one/a 555 0.0 0 A", "./e 555 0.0 0", "./d/ 555 0.0 0", "./r/ 555 0.0 0", "./l 755 0.0 0 one/a",
				"./lib/ 755 0.0 0", "./lib/a 644 5.6 0 A"}},
		{"Windows", []string{"--root_directory=Files", "--empty_root_dir=Files", "--empty_root_dir=Hives", "--file=DIR/a=a", "--empty_dir=d"},
			[]string{"./ 755 0.0 0", "./Files/ 755 0.0 0", "./Files/a 644 0.0 0 A", "./Files/d/ 755 0.0 0", "./Hives/ 755 0.0 0"}},
		{"owners and modes", []string{"--owner=1.2", "--owner_name=u.g", "--owners=/b=3.4", "--owner_names=b=v.h", "--modes=c=0400", "--directory=o",
			"--file=DIR/a=a", "--file=DIR/a=b", "--empty_file=c"},
			[]string{"./ 755 0.0 0", "./o/ 755 0.0 0", "./o/a 644 1.2(u.g) 0 A", "./o/b 644 3.4(v.h) 0 A", "./c 400 1.2(u.g) 0"}},
		{"owners in a directory", []string{"--owner=1.2", "--owners=d/sub/b=3.4", "--modes=d/sub=0700", "--file=DIR/dir=d"},
			[]string{"./ 755 0.0 0", "./d/ 755 1.2 0", "./d/sub/ 700 1.2 0", "./d/sub/b 644 3.4 0 B"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.run("build_tar", append([]string{"--output=DIR/out.tar"}, c.args...)...)
			if got := members(t, f.read("out.tar")); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
	f.run("build_tar", "--output=DIR/out.tgz", "--compression=tgz", "--file=DIR/a=a")
	f.run("zipper", "-decompress", "-src=DIR/out.tgz", "-dst=DIR/out.tar")
	if got := members(t, f.read("out.tar")); len(got) != 2 {
		t.Errorf("compressed: %q", got)
	}
}
