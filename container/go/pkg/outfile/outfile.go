// Package outfile writes files that are there only once all of them is.
package outfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const bufferSize = 1 << 20

// Write makes the file at path of what fill writes. A failure of fill is returned as it
// is, and leaves what was there before.
func Write(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing an output: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, bufferSize)
	if err := fill(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing an output: %w", err)
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("writing an output: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing an output: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("writing an output: %w", err)
	}
	return nil
}

// WriteText makes the file at path of a text.
func WriteText(path, text string) error {
	return Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
