package bundle

import (
	"fmt"
	"path/filepath"
	"strings"
)

const homepage = "https://github.com/backendcloud/" + Name

// Notes returns the text of the release in Markdown: the stanzas that users paste, for WORKSPACE and for MODULE.bazel.
func (r Result) Notes() string {
	url := homepage + "/releases/download/v" + r.Version + "/" + filepath.Base(r.Path)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n", Name, r.Version)
	fmt.Fprintf(&b, "Built with %s; %d bytes.\n\n", r.GoVersion, r.Size)
	fmt.Fprintf(&b, `WORKSPACE:

`+"```starlark"+`
load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

http_archive(
    name = "io_bazel_rules_docker",
    sha256 = %q,
    strip_prefix = %q,
    urls = [%q],
)
`+"```"+`

MODULE.bazel:

`+"```starlark"+`
bazel_dep(name = %q, version = %q, repo_name = "io_bazel_rules_docker")
archive_override(
    module_name = %q,
    integrity = %q,
    strip_prefix = %q,
    urls = [%q],
)
`+"```\n", r.SHA256(), r.Folder, url, Name, r.Version, Name, r.Integrity(), r.Folder, url)
	return b.String()
}
