// Package stamp replaces {KEY} in texts by the values that Bazel's workspace status
// files give to KEY.
package stamp

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Stamper knows the values of the keys. A nil Stamper, and one that has read no
// file, changes nothing.
type Stamper struct {
	values map[string]string
}

// Read reads workspace status files: lines of a key, a space and the value. A line
// without a space is a key with an empty value, and of equal keys the last wins.
// It fails when a file cannot be read.
func Read(paths ...string) (*Stamper, error) {
	s := &Stamper{values: map[string]string{}}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a workspace status file: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
			if key != "" {
				s.values[key] = value
			}
		}
	}
	return s, nil
}

// Expand replaces each {KEY} of a known key by its value, which is not looked at
// again. All other braces stay as they are.
func (s *Stamper) Expand(text string) string {
	if s == nil || len(s.values) == 0 {
		return text
	}
	var out strings.Builder
	for {
		end := strings.IndexByte(text, '}')
		if end < 0 {
			out.WriteString(text)
			return out.String()
		}
		// The innermost opening brace: in {{KEY} it is the second.
		start := strings.LastIndexByte(text[:end], '{')
		value, known := "", false
		if start >= 0 {
			value, known = s.values[text[start+1:end]]
		}
		if known {
			out.WriteString(text[:start])
			out.WriteString(value)
		} else {
			out.WriteString(text[:end+1])
		}
		text = text[end+1:]
	}
}

// Missing lists the keys that text asks for in the form {KEY}, of capital letters,
// digits and underscores, and that have no value: each once, in order of appearance.
func (s *Stamper) Missing(text string) []string {
	var missing []string
	seen := map[string]bool{}
	for _, match := range regexp.MustCompile(`\{([A-Z][A-Z0-9_]*)\}`).FindAllStringSubmatch(text, -1) {
		key := match[1]
		if !seen[key] && !s.knows(key) {
			missing = append(missing, key)
		}
		seen[key] = true
	}
	return missing
}

func (s *Stamper) knows(key string) bool {
	if s == nil {
		return false
	}
	_, ok := s.values[key]
	return ok
}
