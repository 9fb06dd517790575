package pusher

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// stamper is what a destination needs of stamp.Stamper.
type stamper interface {
	Expand(text string) string
	Missing(text string) []string
}

// destination is where an image goes.
type destination struct {
	written string // as the target or the command line says it
	text    string // stamped
	ref     name.Reference
}

// part is one attribute of a destination.
type part struct {
	attribute string
	written   string
	text      string // stamped
}

// planDestination puts together the registry, repository and tag of a target.
func planDestination(p spec.Push, resolve func(string) (string, error), s stamper) (destination, error) {
	if p.Destination != "" {
		return wholeDestination("destination", p.Destination, p, s)
	}
	parts := []part{
		{attribute: "registry", written: p.Registry},
		{attribute: "repository", written: p.Repository},
		{attribute: "tag", written: p.Tag},
	}
	for i, file := range []string{"", p.RepositoryFile, p.TagFile} {
		if file == "" {
			continue
		}
		parts[i].attribute += "_file"
		content, err := readFile(file, resolve)
		if err != nil {
			return destination{}, fmt.Errorf("%s: %s: %w", subject(p), parts[i].attribute, err)
		}
		parts[i].written = content
	}
	for i := range parts {
		text, err := expand(parts[i].written, p, s)
		if err != nil {
			return destination{}, fmt.Errorf("%s: %s: %w", subject(p), parts[i].attribute, err)
		}
		if i < 2 {
			parts[i].written, text = registry.TidySlashes(parts[i].written), registry.TidySlashes(text)
		}
		if text == "" {
			return destination{}, fmt.Errorf("%s: %s is empty; set it in the target, or give the --define or the file "+
				"that it is made from, or pass the whole destination with -dst", subject(p), parts[i].attribute)
		}
		parts[i].text = text
	}
	d := destination{
		written: parts[0].written + "/" + parts[1].written + ":" + parts[2].written,
		text:    parts[0].text + "/" + parts[1].text + ":" + parts[2].text,
	}
	bad, err := invalidPart(parts)
	if err == nil {
		d.ref, err = registry.Reference(d.text)
	}
	if err != nil {
		whole := shown(parts[0].text) + "/" + shown(parts[1].text) + ":" + shown(parts[2].text)
		return destination{}, fmt.Errorf("%s: %s %q makes %q, which is not a reference: %w%s\nA reference is %s",
			subject(p), bad.attribute, shown(bad.text), whole, err, hint(bad.text), registry.Grammar)
	}
	return d, nil
}

// wholeDestination reads a reference that is in one piece: the -dst of the command
// line, or an image's name in a bundle. source says which in messages.
func wholeDestination(source, dst string, p spec.Push, s stamper) (destination, error) {
	text, err := expand(dst, p, s)
	if err != nil {
		return destination{}, fmt.Errorf("%s: %s: %w", subject(p), source, err)
	}
	dst, text = registry.TidyReference(dst), registry.TidyReference(text)
	ref, err := registry.Reference(text)
	if err != nil {
		return destination{}, fmt.Errorf("%s: %s %q is not a reference: %w%s\nA reference is %s",
			subject(p), source, shown(text), err, hint(text), registry.Grammar)
	}
	return destination{written: dst, text: text, ref: ref}, nil
}

// expand stamps text. Without status files braces are literal.
func expand(text string, p spec.Push, s stamper) (string, error) {
	if s == nil {
		return text, nil
	}
	if missing := s.Missing(text); len(missing) > 0 {
		return "", fmt.Errorf("%q: {%s} of %s is in none of the workspace status files; "+
			"--workspace_status_command has to print a line with %s and its value",
			shown(text), strings.Join(missing, "}, {"), subject(p), strings.Join(missing, ", "))
	}
	return s.Expand(text), nil
}

// invalidPart finds the attribute that makes the reference invalid.
func invalidPart(parts []part) (part, error) {
	if _, err := registry.Reference(parts[0].text + "/x"); err != nil {
		return parts[0], err
	}
	if strings.ContainsAny(parts[1].text, ":@") {
		return parts[1], errors.New("a repository has neither ':' nor '@' in it")
	}
	if _, err := registry.Reference(parts[0].text + "/" + parts[1].text); err != nil {
		return parts[1], err
	}
	if strings.ContainsAny(parts[2].text, "/:@") {
		return parts[2], errors.New("a tag has none of '/', ':' and '@' in it")
	}
	if _, err := registry.Reference(parts[0].text + "/" + parts[1].text + ":" + parts[2].text); err != nil {
		return parts[2], errors.New("a tag has at most 128 letters, digits, '.', '_' and '-', and begins with none of '.' and '-'")
	}
	return part{}, nil
}

// shown is text as messages have it: not all of a file that was taken for a name, and no
// password.
func shown(text string) string {
	const limit = 300
	text = registry.HidePassword(text)
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return text
}

func hint(text string) string {
	if strings.ContainsAny(text, "{}") {
		return "\nIt has braces in it: is the target stamped?"
	}
	return ""
}

// readFile is the content of a runfile without the white space at its end, as a shell
// would substitute it.
func readFile(runfile string, resolve func(string) (string, error)) (string, error) {
	path, err := resolve(runfile)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(data), " \t\r\n"), nil
}

// subject is what messages call a push.
func subject(p spec.Push) string {
	if p.Target == "" {
		return "pusher"
	}
	return p.Target
}

// repository is a destination's text without tag and digest.
func repository(text string) string {
	text, _, _ = strings.Cut(text, "@")
	slash := strings.LastIndexByte(text, '/')
	if colon := strings.LastIndexByte(text, ':'); colon > slash {
		return text[:colon]
	}
	return text
}
