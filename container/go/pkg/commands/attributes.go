package commands

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// attributes puts -owner, -modes and their like together.
func (f *tarFlags) attributes() ([]spec.Attributes, error) {
	var all spec.Attributes
	if err := setOwner(&all, f.owner); err != nil {
		return nil, fmt.Errorf("-owner: %w", err)
	}
	setNames(&all, f.ownerName)
	list := []spec.Attributes{all}
	for _, flag := range []struct {
		name   string
		values []string
		set    func(*spec.Attributes, string) error
	}{
		{"owners", f.owners, setOwner},
		{"owner_names", f.ownerNames, func(a *spec.Attributes, text string) error { setNames(a, text); return nil }},
		{"modes", f.modes, func(a *spec.Attributes, text string) error { a.Mode = text; return nil }},
	} {
		for _, text := range flag.values {
			name, value, ok := strings.Cut(text, "=")
			name = path.Clean("/" + name)[1:]
			if !ok || name == "" {
				return nil, fmt.Errorf("-%s %q is not PATH=VALUE", flag.name, text)
			}
			at := slices.IndexFunc(list, func(a spec.Attributes) bool { return a.Name == name })
			if at < 0 {
				own := all
				own.Name = name
				at, list = len(list), append(list, own)
			}
			if err := flag.set(&list[at], value); err != nil {
				return nil, fmt.Errorf("-%s %q: %w", flag.name, text, err)
			}
		}
	}
	// Files are named without -directory, and all else with it.
	if f.directory != "" {
		for _, a := range list[1:] {
			a.Name = path.Join(f.directory, a.Name)
			list = append(list, a)
		}
	}
	return list, nil
}

func setOwner(a *spec.Attributes, text string) error {
	user, group, ok := strings.Cut(text, ".")
	uid, uerr := strconv.Atoi(user)
	gid, gerr := strconv.Atoi(group)
	if !ok || uerr != nil || gerr != nil || uid < 0 || gid < 0 {
		return fmt.Errorf("%q is not UID.GID, such as 1000.1000", text)
	}
	a.UID, a.GID = uid, gid
	return nil
}

func setNames(a *spec.Attributes, text string) { a.User, a.Group, _ = strings.Cut(text, ".") }
