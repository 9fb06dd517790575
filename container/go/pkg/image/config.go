package image

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/stamp"
)

const author = "Bazel"

type rawList = []json.RawMessage

// historyEntry is an element of history (OCI image-spec, config.md).
type historyEntry struct {
	Author     string `json:"author"`
	Created    string `json:"created"`
	CreatedBy  string `json:"created_by"`
	EmptyLayer bool   `json:"empty_layer,omitempty"`
}

// topKeys and innerKeys are the order in which docker and its kin write a
// configuration.
func topKeys() []string {
	return []string{"architecture", "author", "container", "created", "docker_version", "history", "os", "rootfs",
		"config", "os.version"}
}

func innerKeys() []string {
	return []string{"AttachStderr", "AttachStdin", "AttachStdout", "Cmd", "Healthcheck", "Domainname", "Entrypoint",
		"Env", "Hostname", "Image", "Labels", "OnBuild", "OpenStdin", "StdinOnce", "Tty", "User", "Volumes",
		"WorkingDir", "ExposedPorts", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal", "Shell"}
}

// configure makes the configuration of the image from its base's. It changes the
// base's objects.
func configure(i spec.Image, b *base, layers []layer, s *stamp.Stamper) ([]byte, error) {
	fresh := layers[len(layers)-i.NewLayers:]
	if err := platform(i, b.config, s); err != nil {
		return nil, err
	}
	text := i.CreationTime
	if text == "" && len(i.StampFiles) > 0 {
		text = "{BUILD_TIMESTAMP}"
	}
	when, err := created(s.Expand(text))
	if err != nil {
		return nil, err
	}
	b.config["author"] = encode(author)
	b.config["created"] = encode(when)
	b.config["history"] = encode(append(slices.Clone(b.history), history(i.Target, when, len(fresh))...))

	diffIDs := append([]v1.Hash{}, b.diffIDs...)
	for _, l := range fresh {
		diffIDs = append(diffIDs, l.diffID)
	}
	b.rootfs["type"] = encode("layers")
	b.rootfs["diff_ids"] = encode(diffIDs)
	b.config["rootfs"] = b.rootfs.encode("type", "diff_ids")

	if err := execution(i, b.inner, fresh, s); err != nil {
		return nil, err
	}
	b.inner.dropEmpty(innerKeys()...)
	b.config["config"] = b.inner.encode(innerKeys()...)
	b.config.dropEmpty("container", "docker_version", "os.version")
	return b.config.encode(topKeys()...), nil
}

// platform sets what the image runs on.
func platform(i spec.Image, config object, s *stamp.Stamper) error {
	var architecture, system string
	if err := config.get("architecture", &architecture); err != nil {
		return fmt.Errorf("%s: %w", i.BaseConfig, err)
	}
	if err := config.get("os", &system); err != nil {
		return fmt.Errorf("%s: %w", i.BaseConfig, err)
	}
	wanted := first(i.Architecture, architecture, "amd64")
	if architecture != "" && wanted != architecture {
		delete(config, "variant") // arm64's v8 says nothing about another architecture
	}
	config["architecture"] = encode(wanted)
	config["os"] = encode(first(i.OS, system, "linux"))
	if i.OSVersion != "" {
		config["os.version"] = encode(s.Expand(i.OSVersion))
	}
	return nil
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// history has an entry for each new layer or, without any, one that has no layer.
func history(target, when string, layers int) rawList {
	entry := historyEntry{Author: author, Created: when, CreatedBy: "bazel build " + label(target)}
	if layers == 0 {
		entry.EmptyLayer = true
		layers = 1
	}
	return slices.Repeat(rawList{encode(entry)}, layers)
}

// label writes a target alike in all versions of Bazel: //a:b, where newer ones say
// @//a:b or @@//a:b, and @r//a:b for @@r//a:b. Names that Bzlmod makes of several have
// a + between, where Bazel 7 has a ~.
func label(target string) string {
	name := strings.TrimLeft(target, "@")
	repository, rest, ok := strings.Cut(name, "//")
	if !ok || repository == "" {
		return name
	}
	return "@" + strings.ReplaceAll(repository, "~", "+") + "//" + rest
}

// execution sets what a container of the image runs, and how.
func execution(i spec.Image, inner object, fresh []layer, s *stamp.Stamper) error {
	if err := command(i, inner, s); err != nil {
		return fmt.Errorf("%s: config: %w", i.BaseConfig, err)
	}
	if err := variables(i, inner, fresh, s); err != nil {
		return fmt.Errorf("%s: config: %w", i.BaseConfig, err)
	}
	if i.User != "" {
		inner["User"] = encode(s.Expand(i.User))
	}
	if i.WorkingDir != "" {
		inner["WorkingDir"] = encode(s.Expand(i.WorkingDir))
	}
	var exposed []string
	for _, text := range i.ExposedPorts {
		keys, err := ports(text)
		if err != nil {
			return err
		}
		exposed = append(exposed, keys...)
	}
	if err := addKeys(inner, "ExposedPorts", exposed); err != nil {
		return fmt.Errorf("%s: config: %w", i.BaseConfig, err)
	}
	if err := addKeys(inner, "Volumes", i.Volumes); err != nil {
		return fmt.Errorf("%s: config: %w", i.BaseConfig, err)
	}
	return addLabels(i, inner, s)
}

// command sets Entrypoint and Cmd: nil keeps the base's, an empty one removes it.
// A new entrypoint does not clear Cmd, as it would in a Dockerfile: BUILD files
// that were written for rules_docker rely on it.
func command(i spec.Image, inner object, s *stamp.Stamper) error {
	if i.Cmd != nil {
		inner["Cmd"] = encode(expandAll(i.Cmd, s))
	}
	if i.Entrypoint != nil {
		inner["Entrypoint"] = encode(expandAll(i.Entrypoint, s))
	}
	if len(i.LauncherPrefix) == 0 {
		return nil
	}
	var entrypoint []string
	if err := inner.get("Entrypoint", &entrypoint); err != nil {
		return err
	}
	inner["Entrypoint"] = encode(append(slices.Clone(i.LauncherPrefix), entrypoint...))
	return nil
}

// variables adds to Env what each new layer wants, and then what the image does.
func variables(i spec.Image, inner object, fresh []layer, s *stamp.Stamper) error {
	steps := [][]spec.KeyValue{}
	for _, l := range fresh {
		steps = append(steps, l.env)
	}
	steps = append(steps, i.Env)
	if len(slices.Concat(steps...)) == 0 {
		return nil
	}
	var env environment
	if err := inner.get("Env", &env); err != nil {
		return err
	}
	for _, step := range steps {
		env = env.with(step, s)
	}
	inner["Env"] = encode([]string(env))
	return nil
}

func expandAll(texts []string, s *stamp.Stamper) []string {
	expanded := make([]string, len(texts))
	for n, text := range texts {
		expanded[n] = s.Expand(text)
	}
	return expanded
}

// addKeys adds keys to one of the objects that serve as sets.
func addKeys(inner object, name string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	set, err := inner.member(name)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if _, ok := set[key]; !ok {
			set[key] = json.RawMessage("{}")
		}
	}
	inner[name] = set.encode()
	return nil
}

func addLabels(i spec.Image, inner object, s *stamp.Stamper) error {
	if len(i.Labels) == 0 {
		return nil
	}
	labels, err := inner.member("Labels")
	if err != nil {
		return fmt.Errorf("%s: config: %w", i.BaseConfig, err)
	}
	for _, l := range i.Labels {
		value := s.Expand(l.Value)
		if l.File != "" {
			data, err := os.ReadFile(l.File)
			if err != nil {
				return fmt.Errorf("label %s: %w", l.Key, err)
			}
			if !utf8.Valid(data) {
				return fmt.Errorf("label %s: %s is not text in UTF-8, and so cannot be the value of a label", l.Key, l.File)
			}
			value = string(data)
		}
		labels[l.Key] = encode(value)
	}
	inner["Labels"] = labels.encode()
	return nil
}
