package builder

import (
	"fmt"
	"os"
)

// output is a small file to write; an empty path writes none.
type output struct {
	path string
	data []byte
}

// write writes all outputs or, if one cannot be written, leaves none.
func write(outputs ...output) (err error) {
	var written []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range written {
			os.Remove(path)
		}
	}()
	for _, o := range outputs {
		if o.path == "" {
			continue
		}
		written = append(written, o.path)
		if err := os.WriteFile(o.path, o.data, 0o644); err != nil {
			return fmt.Errorf("writing an output: %w", err)
		}
	}
	return nil
}
