package launch

import (
	"slices"
	"testing"
)

func TestName(t *testing.T) {
	for _, c := range []struct{ argv0, goos, want string }{
		{"/usr/bin/pusher", "linux", "pusher"},
		{"pusher", "linux", "pusher"},
		{"./imagetool", "darwin", "imagetool"},
		{"/x/builder.exe", "linux", "builder"},
		{`/x/a\pusher`, "linux", `a\pusher`},
		{`C:\tools\pusher.exe`, windows, "pusher"},
		{`C:\tools\PUSHER.EXE`, windows, "PUSHER"},
		{`C:/tools/pusher.exe`, windows, "pusher"},
		{`..\tools/puller`, windows, "puller"},
		{`loader.exe`, windows, "loader"},
		{`C:\tools\v1.2`, windows, "v1.2"},
		{"", windows, ""},
	} {
		if got := name(c.argv0, c.goos); got != c.want {
			t.Errorf("name(%q, %q) = %q, want %q", c.argv0, c.goos, got, c.want)
		}
	}
}

func TestPlans(t *testing.T) {
	for _, c := range []struct{ path, goos, program string }{
		{"/b/bin/cmd/push", "linux", "/b/bin/cmd/push"},
		{"/b/bin/cmd/push.exe", "linux", "/b/bin/cmd/push.exe"},
		{`C:\b\bin\cmd\push.exe`, windows, `C:\b\bin\cmd\push`},
		{`C:/b/bin/cmd/push.EXE`, windows, `C:/b/bin/cmd/push`},
		{`C:\b\bin\cmd\push`, windows, `C:\b\bin\cmd\push`},
		{`C:\b\bin\v1.2\push`, windows, `C:\b\bin\v1.2\push`},
		{`\\server\share\push.exe`, windows, `\\server\share\push`},
	} {
		want := []Plan{
			{c.program + ".push.json", Push, c.program},
			{c.program + ".load.json", Load, c.program},
			{c.program + ".test.json", Test, c.program},
		}
		if got := plans(c.path, c.goos); !slices.Equal(got, want) {
			t.Errorf("plans(%q, %q) = %+v, want %+v", c.path, c.goos, got, want)
		}
	}
}

func TestParent(t *testing.T) {
	for _, c := range []struct {
		path, goos string
		want       []string
	}{
		{"/a/b/c", "linux", []string{"/a/b", "/a"}},
		{`/a\b/c`, "linux", []string{`/a\b`}},
		{"/", "linux", nil},
		{"a", "linux", nil},
		{`C:\a\b\c`, windows, []string{`C:\a\b`, `C:\a`}},
		{`C:/a\b/c`, windows, []string{`C:/a\b`, `C:/a`}},
		{`C:\`, windows, nil},
		{`\\server\share\a`, windows, []string{`\\server\share`, `\\server`}},
	} {
		var got []string
		for dir, ok := parent(c.path, c.goos); ok; dir, ok = parent(dir, c.goos) {
			got = append(got, dir)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("above %q on %s are %q, want %q", c.path, c.goos, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	directory := func(path string) place { return place{path: path} }
	manifest := func(path string) place { return place{path: path, manifest: true} }
	for _, c := range []struct {
		name, program, goos string
		env                 map[string]string
		want                []place
	}{
		{
			name: "bazel run on Windows", program: `C:\b\bin\cmd\push`, goos: windows,
			env: map[string]string{"RUNFILES_MANIFEST_FILE": `C:\b\bin\cmd\push.exe.runfiles\MANIFEST`},
			want: []place{
				directory(`C:\b\bin\cmd\push.runfiles`), manifest(`C:\b\bin\cmd\push.runfiles\MANIFEST`),
				manifest(`C:\b\bin\cmd\push.runfiles_manifest`),
				directory(`C:\b\bin\cmd\push.exe.runfiles`), manifest(`C:\b\bin\cmd\push.exe.runfiles\MANIFEST`),
				manifest(`C:\b\bin\cmd\push.exe.runfiles_manifest`),
				manifest(`C:\b\bin\cmd\push.exe.runfiles\MANIFEST`),
			},
		},
		{
			name: "in the runfiles of another program on Windows", program: `C:\b\all.exe.runfiles\ws\push.exe`, goos: windows,
			want: []place{
				directory(`C:\b\all.exe.runfiles\ws\push.exe.runfiles`), manifest(`C:\b\all.exe.runfiles\ws\push.exe.runfiles\MANIFEST`),
				manifest(`C:\b\all.exe.runfiles\ws\push.exe.runfiles_manifest`),
				directory(`C:\b\all.exe.runfiles\ws\push.runfiles`), manifest(`C:\b\all.exe.runfiles\ws\push.runfiles\MANIFEST`),
				manifest(`C:\b\all.exe.runfiles\ws\push.runfiles_manifest`),
				directory(`C:\b\all.exe.runfiles`), manifest(`C:\b\all.exe.runfiles\MANIFEST`),
				manifest(`C:\b\all.exe.runfiles_manifest`),
			},
		},
		{
			name: "environment", program: "/b/push", goos: "linux",
			env: map[string]string{"RUNFILES_DIR": "/r", "RUNFILES_MANIFEST_FILE": "/m", "PYTHON_RUNFILES": "/p"},
			want: []place{
				directory("/b/push.runfiles"), manifest("/b/push.runfiles/MANIFEST"), manifest("/b/push.runfiles_manifest"),
				directory("/b/push.exe.runfiles"), manifest("/b/push.exe.runfiles/MANIFEST"), manifest("/b/push.exe.runfiles_manifest"),
				directory("/r"), manifest("/r/MANIFEST"), manifest("/m"), directory("/p"), manifest("/p/MANIFEST"),
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := places(c.program, c.goos, func(key string) string { return c.env[key] })
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, c.want)
			}
		})
	}
}
