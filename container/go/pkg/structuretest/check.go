package structuretest

import (
	"archive/tar"
	"fmt"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Result is the outcome of one test of a document.
type Result struct {
	Name     string
	Failures []string // none: it passed
}

// Check runs the tests of a document.
func (c Config) Check(files *Files, image *v1.ConfigFile) []Result {
	var results []Result
	for _, t := range c.FileExistenceTests {
		results = append(results, Result{"File existence: " + named(t.Name, t.Path), t.check(files)})
	}
	for _, t := range c.FileContentTests {
		results = append(results, Result{"File content: " + named(t.Name, t.Path), t.check(files)})
	}
	return append(results, Result{"Metadata", c.MetadataTest.check(image.Config)})
}

func named(name, path string) string {
	if name == "" {
		return path
	}
	return name
}

func (t FileExistenceTest) check(files *Files) []string {
	h, ok := files.Lookup(t.Path)
	if t.ShouldExist != nil && !*t.ShouldExist {
		if ok {
			return []string{fmt.Sprintf("%s is there, and should not be", t.Path)}
		}
		return nil
	}
	if !ok {
		return []string{fmt.Sprintf("%s is not there", t.Path)}
	}
	var failures []string
	if got := h.FileInfo().Mode().String(); t.Permissions != "" && got != t.Permissions {
		failures = append(failures, fmt.Sprintf("%s has permissions %s, want %s", t.Path, got, t.Permissions))
	}
	if t.UID != nil && h.Uid != *t.UID {
		failures = append(failures, fmt.Sprintf("%s belongs to user %d, want %d", t.Path, h.Uid, *t.UID))
	}
	if t.GID != nil && h.Gid != *t.GID {
		failures = append(failures, fmt.Sprintf("%s belongs to group %d, want %d", t.Path, h.Gid, *t.GID))
	}
	bits := map[string]int64{"owner": 0o100, "group": 0o010, "other": 0o001, "any": 0o111}[t.IsExecutableBy]
	if bits != 0 && h.Mode&bits == 0 {
		failures = append(failures, fmt.Sprintf("%s has permissions %04o: %s cannot execute it", t.Path, h.Mode, t.IsExecutableBy))
	}
	return failures
}

func (t FileContentTest) check(files *Files) []string {
	content, err := files.Content(t.Path)
	if err != nil {
		return []string{err.Error()}
	}
	var failures []string
	for _, pattern := range t.ExpectedContents {
		if !regexp.MustCompile(pattern).Match(content) {
			failures = append(failures, fmt.Sprintf("%s has no match of %q", t.Path, pattern))
		}
	}
	for _, pattern := range t.ExcludedContents {
		if regexp.MustCompile(pattern).Match(content) {
			failures = append(failures, fmt.Sprintf("%s has a match of %q, and should not", t.Path, pattern))
		}
	}
	return failures
}

func (m MetadataTest) check(c v1.Config) []string {
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }

	env := map[string]string{}
	for _, pair := range c.Env {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	compare := func(what string, got map[string]string, want []KeyValue) {
		for _, kv := range want {
			value, ok := got[kv.Key]
			switch {
			case !ok:
				fail("%s %s is not set", what, kv.Key)
			case kv.IsRegex && !regexp.MustCompile(kv.Value).MatchString(value):
				fail("%s %s is %q, which has no match of %q", what, kv.Key, value, kv.Value)
			case !kv.IsRegex && value != kv.Value:
				fail("%s %s is %q, want %q", what, kv.Key, value, kv.Value)
			}
		}
	}
	compare("variable", env, slices.Concat(m.Env, m.EnvVars))
	compare("label", c.Labels, m.Labels)
	for _, kv := range m.UnboundEnvVars {
		if value, ok := env[kv.Key]; ok {
			fail("variable %s is %q, and should not be set", kv.Key, value)
		}
	}
	if m.Entrypoint != nil && !slices.Equal(c.Entrypoint, *m.Entrypoint) {
		fail("entrypoint is %q, want %q", c.Entrypoint, *m.Entrypoint)
	}
	if m.Cmd != nil && !slices.Equal(c.Cmd, *m.Cmd) {
		fail("cmd is %q, want %q", c.Cmd, *m.Cmd)
	}
	membership := func(what string, got map[string]struct{}, want, unwanted []string, normalise func(string) string) {
		for _, name := range want {
			if _, ok := got[normalise(name)]; !ok {
				fail("%s %s is not declared", what, name)
			}
		}
		for _, name := range unwanted {
			if _, ok := got[normalise(name)]; ok {
				fail("%s %s is declared, and should not be", what, name)
			}
		}
	}
	membership("port", c.ExposedPorts, m.ExposedPorts, m.UnexposedPorts, port)
	membership("volume", c.Volumes, m.Volumes, m.UnmountedVolumes, strings.Clone)
	if m.Workdir != "" && c.WorkingDir != m.Workdir {
		fail("workdir is %q, want %q", c.WorkingDir, m.Workdir)
	}
	if m.User != "" && c.User != m.User {
		fail("user is %q, want %q", c.User, m.User)
	}
	return failures
}

// port is a port as configurations have it.
func port(text string) string {
	if strings.Contains(text, "/") {
		return text
	}
	return text + "/tcp"
}

// wanted are the paths whose content is checked.
func (c Config) wanted() []string {
	var paths []string
	for _, t := range c.FileContentTests {
		paths = append(paths, t.Path)
	}
	return paths
}

// directory tells whether a header is that of a folder.
func directory(h tar.Header) bool { return h.Typeflag == tar.TypeDir }
