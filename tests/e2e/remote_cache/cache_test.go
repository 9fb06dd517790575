package remotecache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

// cache is a bazel-remote in a process of its own.
type cache struct {
	*process.Process
	dir  string // with all that it holds
	read int    // bytes of its output that were taken
}

// startCache starts an empty cache with its files in dir, and ends it after the test.
func startCache(t *testing.T, program, dir string) *cache {
	t.Helper()
	p, err := process.Start(context.Background(), "", program, func(addr string) ([]string, error) {
		// It wants a port for HTTP, too.
		other, err := process.Free()
		if err != nil {
			return nil, err
		}
		_, port, err := net.SplitHostPort(other)
		if err != nil {
			return nil, err
		}
		host, grpc, err := net.SplitHostPort(addr)
		return []string{"--dir", dir, "--max_size", "1", "--host", host, "--port", port, "--grpc_port", grpc}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, p)
	return &cache{Process: p, dir: dir}
}

// URL is the value for Bazel's --remote_cache.
func (c *cache) URL() string { return "grpc://" + c.Addr() }

// traffic is what clients have asked for.
type traffic struct {
	hits, misses int            // action results that were there, or not
	stored       int            // action results that were sent
	uploaded     int64          // bytes of blobs
	blobs        map[string]int // how often a blob was downloaded, by sha256, hex
}

// take returns the traffic since it was last called. bazel-remote writes the line about a
// request before it sends the status that ends it (server/grpc_*.go there), and Bazel does
// not end before it has all of these; so once a command has ended the lines are there.
func (c *cache) take(t *testing.T) traffic {
	t.Helper()
	output := c.Output()
	taken, err := parseLog(output[c.read:])
	if err != nil {
		t.Fatalf("what bazel-remote has written: %v", err)
	}
	c.read = len(output)
	return taken
}

var (
	// logLine is a line about a request: after the date and the time.
	logLine = regexp.MustCompile(`(?m)^[0-9/]+ [0-9:]+ (GRPC .*)$`)
	// logText is what it says of one that succeeded, or asked for what is not there.
	logText = regexp.MustCompile(`^GRPC (?:` +
		`(?P<ignored>GETCAPABILITIES|CAS HEAD [0-9a-f]{64} (?:OK|NOT FOUND)|BYTESTREAM SKIPPED WRITE: .*)|` +
		`AC GET [0-9a-f]{64} (?:(?P<hit>OK)|(?P<miss>NOT FOUND))|` +
		`AC PUT [0-9a-f]{64} (?P<stored>OK)|` +
		`BYTESTREAM READ COMPLETED (?:.*/)?blobs/(?P<read>[0-9a-f]{64})/[0-9]+|` +
		`BYTESTREAM WRITE COMPLETED: (?:.*/)?blobs/[0-9a-f]{64}/(?P<written>[0-9]+)(?:/.*)?)$`)
)

// parseLog adds up the lines about requests. Those that it does not know, failures among
// them, are errors.
func parseLog(lines string) (traffic, error) {
	found := traffic{blobs: map[string]int{}}
	for _, line := range logLine.FindAllStringSubmatch(lines, -1) {
		match := logText.FindStringSubmatch(line[1])
		if match == nil {
			return found, errors.New(line[1])
		}
		part := func(name string) string { return match[logText.SubexpIndex(name)] }
		switch {
		case part("hit") != "":
			found.hits++
		case part("miss") != "":
			found.misses++
		case part("stored") != "":
			found.stored++
		case part("read") != "":
			found.blobs[part("read")]++
		case part("written") != "":
			size, err := strconv.ParseInt(part("written"), 10, 64)
			if err != nil {
				return found, fmt.Errorf("%s: %w", line[1], err)
			}
			found.uploaded += size
		}
	}
	return found, nil
}

// held returns the sizes in bytes of the blobs that the cache holds, by sha256, hex, and
// that of all action results together.
func (c *cache) held(t *testing.T) (blobs map[string]int64, results int64) {
	t.Helper()
	blobs = map[string]int64{}
	err := filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(c.dir, path)
		if err != nil {
			return err
		}
		// KIND/FIRST TWO DIGITS/DIGEST
		switch kind, _, _ := strings.Cut(filepath.ToSlash(name), "/"); kind {
		case "cas":
			blobs[entry.Name()] = info.Size()
		case "ac":
			results += info.Size()
		default:
			return fmt.Errorf("it is neither blob nor result: %s", name)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("what bazel-remote holds: %v", err)
	}
	return blobs, results
}

// digestOf is the sha256 of a blob, hex.
func digestOf(blob []byte) string {
	sum := sha256.Sum256(blob)
	return hex.EncodeToString(sum[:])
}

func TestParseLog(t *testing.T) {
	const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const date = "2026/11/21 16:00:00 "
	for _, test := range []struct {
		line string
		want string // empty is an error
	}{
		{"bazel-remote built with go1.26.", "{0 0 0 0 map[]}"},
		{"GRPC GETCAPABILITIES", "{0 0 0 0 map[]}"},
		{"GRPC CAS HEAD " + digest + " NOT FOUND", "{0 0 0 0 map[]}"},
		{"GRPC AC GET " + digest + " OK", "{1 0 0 0 map[]}"},
		{"GRPC AC GET " + digest + " NOT FOUND", "{0 1 0 0 map[]}"},
		{"GRPC AC PUT " + digest + " OK", "{0 0 1 0 map[]}"},
		{"GRPC BYTESTREAM SKIPPED WRITE: uploads/1/blobs/" + digest + "/12", "{0 0 0 0 map[]}"},
		{"GRPC BYTESTREAM WRITE COMPLETED: uploads/1/blobs/" + digest + "/12", "{0 0 0 12 map[]}"},
		{"GRPC BYTESTREAM READ COMPLETED blobs/" + digest + "/12", "{0 0 0 0 map[" + digest + ":1]}"},
		{"GRPC BYTESTREAM READ BLOB NOT FOUND: " + digest, ""},
		{"GRPC AC GET " + digest + " unexpected EOF", ""},
	} {
		got, err := parseLog(date + "GRPC GETCAPABILITIES\n" + date + test.line + "\n")
		if said := fmt.Sprint(got); (err != nil) != (test.want == "") || err == nil && said != test.want {
			t.Errorf("%s: %s, %v, want %s", test.line, said, err, test.want)
		}
	}
}
