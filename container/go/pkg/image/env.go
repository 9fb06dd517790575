package image

import (
	"regexp"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/stamp"
)

// environment is Env of a configuration: KEY=VALUE entries, or anything else that
// the maker of a base wrote there, which is left alone.
type environment []string

// with adds the entries of one step (a layer's or the image's own). A variable that
// is already there keeps its place. Values refer to the environment before the
// step, as those of one ENV instruction of a Dockerfile do.
func (e environment) with(entries []spec.KeyValue, s *stamp.Stamper) environment {
	before := e.values()
	after := slices.Clone(e)
	for _, entry := range entries {
		after = after.set(entry.Key, expand(s.Expand(entry.Value), before))
	}
	return after
}

func (e environment) values() map[string]string {
	values := map[string]string{}
	for _, entry := range e {
		if key, value, ok := strings.Cut(entry, "="); ok {
			values[key] = value
		}
	}
	return values
}

func (e environment) set(key, value string) environment {
	prefix := key + "="
	same := func(entry string) bool { return strings.HasPrefix(entry, prefix) }
	at := slices.IndexFunc(e, same)
	if at < 0 {
		return append(e, prefix+value)
	}
	e[at] = prefix + value
	// A base may name a variable twice; now there is but one value.
	return append(e[:at+1], slices.DeleteFunc(e[at+1:], same)...)
}

// expand replaces $KEY and ${KEY}; an unknown key stays as it is written.
func expand(text string, values map[string]string) string {
	reference := regexp.MustCompile(`\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})`)
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		if value, ok := values[strings.Trim(match, "${}")]; ok {
			return value
		}
		return match
	})
}
