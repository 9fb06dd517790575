package golden

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
)

// baseConfig has a value in every field that an image on top could change or lose.
const baseConfig = `{
  "architecture": "arm64", "variant": "v8", "os": "linux", "os.version": "1", "os.features": ["feature"],
  "author": "somebody", "created": "2020-02-02T00:00:00Z", "container": "c0", "docker_version": "20.10.1",
  "x-unknown": {"n": 1.0},
  "config": {
    "Cmd": ["base-command"], "Entrypoint": ["/base"], "Env": ["PATH=/usr/bin:/bin", "A=base"],
    "ExposedPorts": {"22/tcp": {}}, "Healthcheck": {"Test": ["NONE"]}, "Hostname": "base",
    "Labels": {"base": "yes", "other": "base"}, "OnBuild": ["RUN base"], "Shell": ["/bin/ash"],
    "StopSignal": "SIGINT", "User": "base", "Volumes": {"/base": {}}, "WorkingDir": "/base"
  },
  "history": [{"created": "2020-02-02T00:00:00Z", "created_by": "base layer"}],
  "rootfs": {"type": "layers", "diff_ids": ["DIFF_ID"]}
}
`

// oddConfig is one that upstream stumbles over: a variable without a value, an order
// that is not the alphabet's, no history.
const oddConfig = `{"architecture":"amd64","os":"linux","config":{"Env":["Z=1","ODD","B=2"]},` +
	`"rootfs":{"type":"layers","diff_ids":["DIFF_ID"]}}`

// capability is an extended attribute as setcap cap_net_bind_service=+ep writes it.
const capability = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func file(name, content string) harness.Member {
	return harness.Member{Header: tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: 0o640, Uid: 107, Gid: 36, Uname: "qemu", Gname: "kvm", ModTime: time.Unix(1234567890, 0),
	}, Content: content}
}

func folder(name string, mode int64) harness.Member {
	return harness.Member{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, Uid: 3, Gid: 4}}
}

func link(typeflag byte, name, target string) harness.Member {
	return harness.Member{Header: tar.Header{Typeflag: typeflag, Name: name, Linkname: target, Mode: 0o777}}
}

// kinds has a member of every kind, and everything that a header can say.
func kinds() []harness.Member {
	marked := file("bin/capable", "capable")
	marked.PAXRecords = map[string]string{
		"SCHILY.xattr.security.capability": capability,
		"SCHILY.xattr.security.selinux":    "system_u:object_r:bin_t:s0",
	}
	device := harness.Member{Header: tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3}}
	return []harness.Member{
		marked,
		link(tar.TypeLink, "bin/hard", "bin/capable"),
		link(tar.TypeLink, "bin/dotted", "./bin/capable"),
		link(tar.TypeSymlink, "bin/soft", "/bin/capable"),
		device,
		{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o600}},
		file(".dot", "dot"),
		file("/absolute/file", "absolute"),
		link(tar.TypeLink, "/absolute/hard", "/absolute/file"),
	}
}

// writeInputs writes the files of //inputs.
func writeInputs(t *testing.T, dir string) {
	t.Helper()
	write := func(name string, data []byte) { harness.Write(t, dir, name, data, 0o644) }
	base := harness.Tar(t, folder("./etc/", 0o755), file("./etc/base", "base"))
	diffID := "sha256:" + hexSum(base)
	write("base.tar", base)
	write("base.tar.gz", harness.Gzip(t, base))
	write("base.tar.xz", compressed(t, base, xzWriter))
	write("other/base.tar.xz", compressed(t, harness.Tar(t, file("other", "other")), xzWriter))
	write("other.tar", harness.Tar(t, file("other", "other")))
	two := strings.ReplaceAll(oddConfig, "DIFF_ID", diffID+`","sha256:`+hexSum(harness.Tar(t, file("other", "other"))))
	write("two.json", []byte(two))
	write("base.json", []byte(strings.ReplaceAll(baseConfig, "DIFF_ID", diffID)))
	write("odd.json", []byte(strings.ReplaceAll(oddConfig, "DIFF_ID", diffID)))

	write("claimed", []byte("file"))
	write("claims.tar", harness.Tar(t, file("claimed", "tar"), file("tar", "tar")))
	write("kinds.tar", harness.Tar(t, kinds()...))
	exact := file("./exact", "")
	exact.Format, exact.ModTime, exact.AccessTime = tar.FormatPAX, time.Unix(1234567890, 5e8), time.Unix(1, 0)
	write("times.tar", harness.Tar(t, file("./whole", ""), exact))
	small := harness.Tar(t, file("small", "small"))
	write("small.tar.gz", harness.Gzip(t, small))
	write("small.tar.xz", compressed(t, small, xzWriter))
	write("small.tar.zst", compressed(t, small, zstdWriter))
	// Nothing in Go writes bzip2, so this one is kept; it holds ./f, a hundred x.
	write("small.tar.bz2", harness.Read(t, "../../../container/go/pkg/layer/testdata/f.tar.bz2"))

	data := harness.Tar(t, folder("./", 0o755), folder("./usr/", 0o755), file("./usr/file", "deb"), file("./claimed", "deb"))
	control := harness.Tar(t, folder("./", 0o755), file("./control", "Package: lib-small+1\nVersion: 2\n"), file("./md5sums", "0 usr/file\n"))
	write("gzip.deb", deb("control.tar.gz", harness.Gzip(t, control), "data.tar.gz", harness.Gzip(t, data)))
	write("xz.deb", deb("control.tar.xz", compressed(t, control, xzWriter), "data.tar.xz", compressed(t, data, xzWriter)))
	write("zstd.deb", deb("control.tar.zst", compressed(t, control, zstdWriter), "data.tar.zst", compressed(t, data, zstdWriter)))

	write("tree.tar", harness.Tar(t, folder("usr/", 0o711), file("/usr/bin/tool", "tool"), folder("d", 0o1777), file("no/parent", "x")))
	write("whiteouts.tar", harness.Tar(t, file("./etc/.wh.base", ""), file("./etc/own", "own")))
	write("saved.tar", saved(t, base, []byte(strings.ReplaceAll(baseConfig, "DIFF_ID", diffID))))
}

// saved is what "docker save" makes of an image with one layer.
func saved(t *testing.T, layer, config []byte) []byte {
	t.Helper()
	name := hexSum(config) + ".json"
	return harness.Tar(t, file(name, string(config)), file("layer/layer.tar", string(layer)),
		file("manifest.json", fmt.Sprintf(`[{"Config":%q,"RepoTags":["saved:1"],"Layers":["layer/layer.tar"]}]`, name)))
}

func xzWriter(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }

func zstdWriter(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }

func compressed(t *testing.T, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// deb is a Debian package (deb(5)).
func deb(control string, controlData []byte, data string, dataData []byte) []byte {
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {control, controlData}, {data, dataData}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.data), m.data)
		if len(m.data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}
