package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const attribute = "    insecure_repository = True,"

// addAttribute adds insecure_repository to the only container_push of a BUILD file,
// where buildifier would put it, and returns the new text and the difference.
func addAttribute(text string) (changed, diff string, err error) {
	before := strings.Split(text, "\n")
	for i, line := range before {
		if strings.HasPrefix(line, "    image = ") && i+1 < len(before) {
			after := append(append(append([]string(nil), before[:i+1]...), attribute), before[i+1:]...)
			diff = fmt.Sprintf(" %s\n+%s\n %s\n", before[i], attribute, before[i+1])
			return strings.Join(after, "\n"), diff, nil
		}
	}
	return "", "", fmt.Errorf("there is no container_push with an image in the BUILD file")
}

// mention fails unless output has every one of the texts.
func mention(output string, texts ...string) error {
	for _, text := range texts {
		if !strings.Contains(output, text) {
			return fmt.Errorf("the output lacks %q", text)
		}
	}
	return nil
}

// digest is what differs from one version to the next in what README.md quotes.
var digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// quoted fails unless every line of output stands in README.md: what it promises is
// what users get. A list that ends in ", ..." there may go on.
func quoted(readme, output string) error {
	readme = digest.ReplaceAllString(readme, "sha256:...")
	var lists []string
	for _, line := range strings.Split(readme, "\n") {
		if list, ok := strings.CutSuffix(line, ", ..."); ok {
			lists = append(lists, list+", ")
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(digest.ReplaceAllString(output, "sha256:...")), "\n") {
		goesOn := func(list string) bool { return strings.HasPrefix(line, list) }
		if !strings.Contains(readme, "\n"+line+"\n") && !slices.ContainsFunc(lists, goesOn) {
			return fmt.Errorf("README.md does not quote this line; it must say what the programs say: %s", line)
		}
	}
	return nil
}

// indent sets text off from the narration.
func indent(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
	return b.String()
}
