// Package remotecache proves what a remote cache has to hold and to hand out: this
// folder is the workspace, built in one place and then, by the cache alone, in another.
//
// The environment variable RULES_DOCKER_ARCHIVE names the release archive, BAZEL_4 and
// BAZEL_7 the launchers of Bazel. Besides, docker-registry and skopeo must be on PATH;
// bazel-remote is built by tests/setup/program.sh.
package remotecache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/harness"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/e2e/workspace"
	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

const (
	imageCount  = 30
	sharedCount = 5
	layerSize   = 1_000_000 // bytes of the only file in a layer
	maxSmall    = 100_000   // bytes of what is no layer: a plain tar would be ten times as much
	maxExtra    = 8 << 10   // bytes that a push of one image may download and not send
)

// suite is what the steps of the story share.
type suite struct {
	cell     harness.Cell
	root     string
	cache    *cache
	registry *registries.Distribution
	first    *harness.Bazel // builds everything
	second   *harness.Bazel // another checkout, with an output root of its own
}

func TestRemoteCache(t *testing.T) {
	program := harness.Program(t, "bazel-remote")
	harness.EachEdge(t, func(t *testing.T, c harness.Cell) {
		s := newSuite(t, c, program)
		outputs := s.fill(t)
		s.buildMinimal(t, outputs)
		s.push(t, outputs)
		s.pushAll(t, outputs)
	})
}

func newSuite(t *testing.T, c harness.Cell, program string) *suite {
	t.Helper()
	s := &suite{cell: c, root: harness.TempDir(t)}
	s.cache = startCache(t, program, filepath.Join(s.root, "cache"))
	data := filepath.Join(s.root, "registry")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.registry, err = registries.StartDistribution(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, s.registry)
	s.first, s.second = s.newBazel(t, "first"), s.newBazel(t, "second")
	return s
}

func closeAfter(t *testing.T, c interface{ Close() error }) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

// newBazel makes a checkout and an output root.
func (s *suite) newBazel(t *testing.T, name string) *harness.Bazel {
	t.Helper()
	release, err := workspace.FindRelease()
	if err != nil {
		t.Fatal(err)
	}
	replacements := release.Replacements()
	replacements["127.0.0.2:5000"] = s.registry.Addr()
	dir := filepath.Join(s.root, name, "checkout")
	if err := workspace.Copy(dir, ".", replacements); err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{6})
	content := make([]byte, layerSize)
	for i := range sharedCount + imageCount {
		file := fmt.Sprintf("app/shared%d.bin", i)
		if i >= sharedCount {
			file = fmt.Sprintf("app/own%d.bin", i-sharedCount)
		}
		if _, err := random.Read(content); err != nil {
			t.Fatal(err)
		}
		harness.Write(t, dir, file, content, 0o644)
	}
	home := filepath.Join(s.root, name, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	return s.cell.NewBazel(t, dir, filepath.Join(s.root, name, "bazel"), home)
}

// cached are arguments of a command that uses the cache, and waits for it on a machine
// that is slow to write: what is tried again counts twice.
func (s *suite) cached(args ...string) []string {
	return append([]string{"--remote_cache=" + s.cache.URL(), "--remote_timeout=600"}, args...)
}

// output is a file that actions made.
type output struct {
	name string // below bazel-bin/app
	size int64
}

// fill builds all images in the first checkout, and looks at what the cache holds then.
// It returns the outputs of actions by their sha256.
func (s *suite) fill(t *testing.T) map[string]output {
	t.Helper()
	// Without a sandbox it is quicker, and the cache sees no difference.
	s.first.Must(t, "build", s.cached("--spawn_strategy=local", "//app:push", "//app:push-all")...)
	seen := s.cache.take(t)
	// A layer for each of 35, configuration and manifests for each of 30, and a digest for each of 31 pushes.
	if want := sharedCount + imageCount + imageCount + imageCount + 1; seen.hits != 0 || seen.misses != want || seen.stored != want {
		t.Errorf("an empty cache was asked for %d results, had %d and was sent %d, want %d, 0 and %d",
			seen.hits+seen.misses, seen.hits, seen.stored, want, want)
	}

	outputs := map[string]output{}
	blobs, held := s.cache.held(t)
	var compressed, plain, small int64
	dir := s.first.Bin("app")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		data := harness.Read(t, filepath.Join(dir, e.Name()))
		digest := digestOf(data)
		if _, ok := blobs[digest]; !ok {
			continue // what Bazel itself writes, and the executables
		}
		outputs[digest] = output{e.Name(), info.Size()}
		if !isLayer(e.Name()) {
			small += info.Size()
			continue
		}
		compressed += info.Size()
		tar := harness.Uncompress(t, data)
		plain += int64(len(tar))
	}
	if layers := int64(sharedCount + imageCount); compressed < layers*layerSize {
		t.Errorf("the cache holds %d bytes of layers, want those of %d", compressed, layers)
	}

	// The rest is what Bazel keeps of actions: their command lines, inputs and messages.
	for digest, size := range blobs {
		held += size
		if file, ok := outputs[digest]; size > maxSmall && !(ok && isLayer(file.name)) {
			t.Errorf("the cache holds %d bytes with sha256 %s that are no layer's blob", size, digest)
		}
	}
	// rules_docker made, and a cache kept, a plain tar, its gzip and the sha256 of each.
	const sums = 2 * 64
	theirs := plain + compressed + (sharedCount+imageCount)*sums + small
	t.Logf("the cache holds %d bytes: %d of layers, %d of other outputs, the rest of %d actions; with plain tars and sums the outputs would be %d, %.2f x",
		held, compressed, small, seen.stored, theirs, float64(theirs)/float64(held))
	return outputs
}

// fetched returns the names of the layers that were downloaded, each of them once, and
// the bytes of all outputs that were.
func fetched(t *testing.T, seen traffic, outputs map[string]output) (layers []string, bytes int64) {
	t.Helper()
	for digest, times := range seen.blobs {
		file, ok := outputs[digest]
		if !ok {
			continue // what an action printed
		}
		bytes += int64(times) * file.size
		if !isLayer(file.name) {
			continue
		}
		if times > 1 {
			t.Errorf("%s is downloaded %d times", file.name, times)
		}
		layers = append(layers, file.name)
	}
	slices.Sort(layers)
	return layers, bytes
}

func isLayer(name string) bool { return strings.HasSuffix(name, "-layer.tar.gz") }

func (s *suite) checkAllCached(t *testing.T, what string, seen traffic) {
	t.Helper()
	if seen.misses > 0 || seen.stored > 0 || seen.uploaded > 0 {
		t.Errorf("%s: %d results were not in the cache, %d results and %d bytes were sent there", what, seen.misses, seen.stored, seen.uploaded)
	}
}

// buildMinimal builds all images in the second checkout, without fetching any of them.
func (s *suite) buildMinimal(t *testing.T, outputs map[string]output) {
	t.Helper()
	r := s.second.Must(t, "build", s.cached("--remote_download_minimal", "//app:push", "//app:push-all")...)
	seen := s.cache.take(t)
	s.checkAllCached(t, "building elsewhere", seen)
	const actions = sharedCount + imageCount + imageCount + imageCount + 1
	if want := fmt.Sprintf("%d remote cache hit", actions); seen.hits != actions || !strings.Contains(r.Output(), want) {
		t.Errorf("the cache gave out %d results, and no %q in %s", seen.hits, want, r)
	}
	if layers, bytes := fetched(t, seen, outputs); bytes > 0 {
		t.Errorf("it downloads %d bytes, and the layers %q", bytes, layers)
	}
}

// push pushes one image from the second checkout, which has nothing of it.
func (s *suite) push(t *testing.T, outputs map[string]output) {
	t.Helper()
	minimal := s.cached("--remote_download_minimal", "//app:push")
	if s.cell.Bazel == "4.2.3" {
		// It fetches nothing for bazel run, and then the pusher says what helps.
		r := s.second.Run(t, "run", minimal...)
		if r.Code != 1 || !strings.Contains(r.Output(), "--remote_download_toplevel") {
			t.Errorf("without what it needs, a push says: %s", r)
		}
		s.cache.take(t)
	}
	s.second.Must(t, "run", s.runArgs("//app:push")...)
	seen := s.cache.take(t)
	s.checkAllCached(t, "pushing", seen)
	layers, bytes := fetched(t, seen, outputs)
	want := []string{"image0-layer.tar.gz"}
	for i := range sharedCount {
		want = append(want, fmt.Sprintf("shared%d-layer.tar.gz", i))
	}
	if !slices.Equal(layers, want) {
		t.Errorf("it downloads the layers %q, want %q", layers, want)
	}
	image := harness.Pull(t, s.registry.Addr()+"/team/one:v1")
	if digest := string(harness.Read(t, s.first.Bin("app/push.digest"))); image.Digest.String() != digest {
		t.Errorf("the registry has %s, the first checkout's image is %s", image.Digest, digest)
	}
	sent := int64(len(image.RawManifest)) + image.Manifest.Config.Size
	for _, layer := range image.Manifest.Layers {
		sent += layer.Size
	}
	t.Logf("a push of %d bytes downloads %d", sent, bytes)
	// The digest, which is shown; Bazel 4 also fetches what else the actions made, all of it small.
	if bytes > sent+maxExtra {
		t.Errorf("it downloads %d bytes to push %d", bytes, sent)
	}
}

// runArgs are the arguments of a bazel run that fetches as little as it can.
func (s *suite) runArgs(target string) []string {
	if s.cell.Bazel == "4.2.3" {
		return s.cached("--remote_download_toplevel", target)
	}
	return s.cached("--remote_download_minimal", target)
}

// pushAll pushes all images from the second checkout, which has the parts of one.
func (s *suite) pushAll(t *testing.T, outputs map[string]output) {
	t.Helper()
	s.second.Must(t, "run", s.runArgs("//app:push-all")...)
	seen := s.cache.take(t)
	s.checkAllCached(t, "pushing all", seen)
	layers, bytes := fetched(t, seen, outputs)
	t.Logf("a push of all images downloads %d bytes", bytes)
	// Those of the first image are there.
	var want []string
	for i := 1; i < imageCount; i++ {
		want = append(want, fmt.Sprintf("image%d-layer.tar.gz", i))
	}
	slices.Sort(want)
	if !slices.Equal(layers, want) {
		t.Errorf("it downloads the layers %q, want %q", layers, want)
	}
	ref := fmt.Sprintf("%s/team/image%d:v1", s.registry.Addr(), imageCount-1)
	digest := string(harness.Read(t, s.first.Bin(fmt.Sprintf("app/push-all.%d.digest", imageCount-1))))
	if got := harness.InspectedDigest(t, ref); got != digest {
		t.Errorf("%s has digest %s, want %s", ref, got, digest)
	}
}
