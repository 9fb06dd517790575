package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// programPackage is the multi-call program; its variable main.version is set to the version.
const programPackage = "./container/go/cmd/imagetool"

// builder compiles the program with everything fixed that could change its bytes, but for the Go version.
type builder struct {
	root, version, goVersion string
	env                      []string
}

func newBuilder(ctx context.Context, root, version string) (*builder, error) {
	// GOENV=off below hides what `go env -w` has set, so where modules come from and are kept is asked for first.
	kept := []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOTMPDIR", "GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB",
		"GOPRIVATE", "GOINSECURE", "GOAUTH", "GOVCS"}
	command := exec.CommandContext(ctx, "go", append([]string{"env", "-json", "GOVERSION"}, kept...)...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for its settings: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("reading go's settings: %w", err)
	}
	b := &builder{root: root, version: version, goVersion: settings["GOVERSION"]}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GO") && !strings.HasPrefix(variable, "CGO_") {
			b.env = append(b.env, variable)
		}
	}
	for _, name := range kept {
		if settings[name] != "" {
			b.env = append(b.env, name+"="+settings[name])
		}
	}
	b.env = append(b.env, "GOENV=off", "GOTOOLCHAIN=local", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOPPC64=power8", "GOFIPS140=off")
	return b, nil
}

// compact lists the packages whose functions are not inlined: protocols, encodings and configuration files, which wait for a
// network or are read once. It makes the archive 6 % smaller. Compressing, hashing, ciphers, archives, the runtime
// and our own code stay as fast as they can be.
func compact() []string {
	return []string{
		"crypto/tls", "crypto/x509", "crypto/x509/...", "encoding/asn1", "encoding/json", "encoding/pem",
		"fmt", "math/big", "mime/...", "net", "net/...", "os/exec", "os/user", "regexp", "regexp/...", "strconv", "text/...", "time",
		"vendor/golang.org/x/net/...", "vendor/golang.org/x/text/...",
		"github.com/BurntSushi/...", "github.com/docker/...", "github.com/google/...", "github.com/mattn/...",
		"github.com/schollz/...", "github.com/sirupsen/...", "go.podman.io/...", "go.yaml.in/...",
	}
}

// build compiles the program for p into the file out.
func (b *builder) build(ctx context.Context, out string, p Platform) error {
	out, err := filepath.Abs(out) // go build runs in another folder
	if err != nil {
		return err
	}
	args := []string{"build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-pgo=off",
		"-ldflags=-s -w -buildid= -X main.version=" + b.version}
	for _, packages := range compact() {
		args = append(args, "-gcflags="+packages+"=-l")
	}
	command := exec.CommandContext(ctx, "go", append(args, "-o", out, programPackage)...)
	command.Dir = b.root
	command.Env = append(b.env[:len(b.env):len(b.env)], "GOOS="+p.OS, "GOARCH="+p.Arch)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program for %s: %w\n%s", p, err, bytes.TrimSpace(output))
	}
	return nil
}

// buildAll compiles the program for all platforms, as many at a time as there are processors, below folder.
func (b *builder) buildAll(ctx context.Context, folder string, platforms []Platform) ([]entry, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	entries := make([]entry, len(platforms))
	for i, p := range platforms {
		entries[i] = entry{name: p.program(), source: filepath.Join(folder, filepath.FromSlash(p.program())), executable: true}
		group.Go(func() error { return b.build(ctx, entries[i].source, p) })
	}
	return entries, group.Wait()
}

// Prebuild compiles the program for p to where a checkout's BUILD files look for it and returns that path. It lets a checkout
// stand in for a release, by local_repository or --override_repository.
func Prebuild(ctx context.Context, root, version string, p Platform) (string, error) {
	b, err := newBuilder(ctx, root, markedVersion(version, true))
	if err != nil {
		return "", err
	}
	target := filepath.Join(root, filepath.FromSlash(p.program()))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", fmt.Errorf("making the program's folder: %w", err)
	}
	scratch, err := os.MkdirTemp(filepath.Dir(target), ".build-")
	if err != nil {
		return "", fmt.Errorf("making a scratch folder: %w", err)
	}
	defer os.RemoveAll(scratch)
	temporary := filepath.Join(scratch, filepath.Base(target))
	if err := b.build(ctx, temporary, p); err != nil {
		return "", err
	}
	if err := os.Rename(temporary, target); err != nil {
		return "", fmt.Errorf("putting the program in place: %w", err)
	}
	return target, nil
}
