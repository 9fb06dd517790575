package surface

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// row is a line of the table: a file, a package's targets, or the external repositories.
type row struct {
	there, differs, notYet []string
}

// Table renders what is there, what differs and what is missing, in Markdown.
func Table(s *Surface, lists Lists) string {
	rows := map[string]*row{}
	at := func(key string) *row {
		if rows[key] == nil {
			rows[key] = &row{}
		}
		return rows[key]
	}
	missing := map[string]bool{}
	for _, line := range lists.Lines() {
		if subject, is := cut(line); is == "not there" {
			missing[subject] = true
		}
	}
	note := func(subject string) {
		if key, name := place(subject); !missing[subject] {
			at(key).there = append(at(key).there, name)
		} else {
			at(key)
		}
	}
	for _, symbol := range s.Symbols {
		note(symbol.ID())
	}
	for label := range s.Labels {
		note(label)
	}
	for name := range s.Repositories {
		note("@" + name)
	}
	reasons := lists.reasons(at)

	var b strings.Builder
	b.WriteString("| where | there | differs on purpose | not yet |\n|---|---|---|---|\n")
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		r := rows[key]
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", key, codes(r.there), strings.Join(slices.Sorted(slices.Values(r.differs)), ", "), codes(r.notYet))
	}
	b.WriteString("\nThe reasons:\n\n")
	for i, reason := range reasons {
		fmt.Fprintf(&b, "%d. %s\n", i+1, reason)
	}
	b.WriteString("\nNot yet:\n\n")
	for _, list := range lists {
		if list.State == NotYet {
			fmt.Fprintf(&b, "- %s\n", list.Why)
		}
	}
	return b.String()
}

// reasons enters the lines into the rows and returns the numbered reasons.
func (l Lists) reasons(at func(string) *row) []string {
	var reasons []string
	for _, list := range l {
		if list.State == Deliberate {
			reasons = append(reasons, list.Why)
		}
		said := map[string]bool{}
		for _, line := range list.Lines {
			subject, is := cut(line)
			key, name := place(subject)
			// An attribute in a struct or a dictionary.
			if without, ok := strings.CutPrefix(is, "no "); ok {
				name += "." + without
			} else if with, ok := strings.CutSuffix(is, " besides"); ok {
				name += "." + strings.TrimPrefix(with, "field ")
			}
			if r := at(key); said[key+name] {
				continue
			} else if said[key+name] = true; list.State == NotYet {
				r.notYet = append(r.notYet, name)
			} else {
				r.differs = append(r.differs, fmt.Sprintf("`%s` (%d)", name, len(reasons)))
			}
		}
	}
	return reasons
}

// cut takes a line apart: what it is about, and what it says of that.
func cut(line string) (subject, is string) {
	subject, is, _ = strings.Cut(line, ": ")
	return subject, is
}

// place is the row that a subject belongs in, and its name there.
func place(subject string) (key, name string) {
	switch {
	case strings.HasPrefix(subject, "@"):
		return "repositories of a WORKSPACE", subject
	case strings.Contains(subject, "%"):
		key, name, _ = strings.Cut(subject, "%")
		return "`" + key + "`", name
	}
	key, name, _ = strings.Cut(subject, ":")
	return "targets of `" + key + "`", name
}

func codes(names []string) string {
	slices.Sort(names)
	var quoted []string
	for _, name := range slices.Compact(names) {
		quoted = append(quoted, "`"+name+"`")
	}
	return strings.Join(quoted, ", ")
}
