//go:build unix

package pull

import (
	"os"
	"syscall"
)

// links is how many names a file has, 0 if that is not known.
func links(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 0
}
