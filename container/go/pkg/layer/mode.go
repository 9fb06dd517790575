package layer

import (
	"fmt"
	"strconv"
	"strings"
)

// Modes of what nothing else says the mode of.
const (
	plainMode      = 0o644
	executableMode = 0o755
	dirMode        = 0o755
	linkMode       = 0o755
)

// modes are the permissions of a layer's own files and directories.
type modes struct {
	fixed bool // else they follow the source
	mode  int64
}

// parseModes reads octal text: 0o555, 0555, 555, or "" for modes that follow the source.
func parseModes(text string) (modes, error) {
	if text == "" {
		return modes{}, nil
	}
	mode, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(text), "0o"), 8, 12)
	if err != nil {
		return modes{}, fmt.Errorf("mode %q is not an octal number up to 0o7777, such as 0o644", text)
	}
	return modes{true, int64(mode)}, nil
}

func (m modes) file(executable bool) int64 {
	switch {
	case m.fixed:
		return m.mode
	case executable:
		return executableMode
	}
	return plainMode
}

func (m modes) emptyDir() int64 {
	if m.fixed {
		return m.mode
	}
	return dirMode
}

// walkedDir lets whoever may read a directory enter it.
func (m modes) walkedDir() int64 {
	if m.fixed {
		return m.mode | m.mode&0o444>>2
	}
	return dirMode
}
