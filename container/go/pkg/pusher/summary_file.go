package pusher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// summaryFile is where a Summary is going to be written. It is opened before anything
// is pushed, so that a path that cannot be written is no surprise afterwards.
type summaryFile struct {
	file *os.File
	path string // that file takes the place of once it is whole; "" if it is there already
}

// openSummary opens the file of --json. What is there and no regular file, such as a
// pipe, is written to as it is. bazel run changes the working directory; a relative path
// is meant from userDir, where the user is.
func openSummary(path, userDir string) (*summaryFile, error) {
	if !filepath.IsAbs(path) && userDir != "" {
		path = filepath.Join(userDir, path)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	name := path
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		name += ".part"
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("writing the summary: %w; give --json a path that can be written", err)
	}
	if name == path {
		path = ""
	}
	return &summaryFile{file: f, path: path}, nil
}

// write writes the summary, into a regular file whole or not at all.
func (s *summaryFile) write(summary Summary) error {
	err := errors.Join(summary.write(s.file), s.file.Close())
	if err == nil && s.path != "" {
		err = os.Rename(s.file.Name(), s.path)
	}
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// discard removes what was not written to its end.
func (s *summaryFile) discard() {
	_ = s.file.Close()
	if s.path != "" {
		_ = os.Remove(s.file.Name()) // it is gone, if all went well
	}
}
