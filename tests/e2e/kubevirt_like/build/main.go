// Command archive makes a tar out of files and other tars. It stands for the rules by
// which projects make trees out of the packages of a distribution: owners are
// numbers, and extended attributes are kept.
package main

import (
	"archive/tar"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

// member is a header and what gives its content.
type member struct {
	tar.Header
	content []byte
}

func run(args []string) error {
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	var tars, folders, files, hardlinks, symlinks, xattrs list
	out := flags.String("out", "", "the `file` to write")
	dir := flags.String("dir", "", "`folder` of the files, as it is written in the tar")
	mode := flags.String("mode", "0644", "octal `mode` of the files")
	owner := flags.String("owner", "0:0", "`UID:GID` of what is made")
	flags.Var(&tars, "tar", "another `tar`, whose members come first")
	flags.Var(&folders, "folder", "`path` of a folder")
	flags.Var(&files, "file", "`path` of a file to pack")
	flags.Var(&hardlinks, "hardlink", "`LINK=FILE`")
	flags.Var(&symlinks, "symlink", "`LINK=TEXT`")
	flags.Var(&xattrs, "xattr", "`PATH:NAME=VALUE`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	bits, err := strconv.ParseInt(*mode, 8, 64)
	if err != nil {
		return err
	}
	var owned tar.Header
	if _, err := fmt.Sscanf(*owner, "%d:%d", &owned.Uid, &owned.Gid); err != nil {
		return err
	}

	var members []member
	add := func(kind byte, name, link string, mode int64, content []byte) {
		members = append(members, member{tar.Header{
			Typeflag: kind, Name: name, Linkname: link, Mode: mode, Size: int64(len(content)), Uid: owned.Uid, Gid: owned.Gid,
		}, content})
	}
	for _, path := range tars {
		found, err := unpack(path)
		if err != nil {
			return err
		}
		members = append(members, found...)
	}
	for _, name := range folders {
		add(tar.TypeDir, name+"/", "", 0o750, nil)
	}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		add(tar.TypeReg, filepath.Join(*dir, filepath.Base(path)), "", bits, content)
	}
	for _, text := range hardlinks {
		name, file, _ := strings.Cut(text, "=")
		add(tar.TypeLink, name, file, bits, nil)
	}
	for _, text := range symlinks {
		name, link, _ := strings.Cut(text, "=")
		add(tar.TypeSymlink, name, link, 0o777, nil)
	}
	for _, text := range xattrs {
		if err := attach(members, text); err != nil {
			return err
		}
	}
	return pack(*out, members)
}

// attach adds an extended attribute to a member.
func attach(members []member, text string) error {
	where, value, _ := strings.Cut(text, "=")
	path, name, _ := strings.Cut(where, ":")
	if digits, ok := strings.CutPrefix(value, "0x"); ok {
		data, err := hex.DecodeString(digits)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		value = string(data)
	}
	for i := range members {
		if members[i].Name != path {
			continue
		}
		if members[i].PAXRecords == nil {
			members[i].PAXRecords = map[string]string{}
		}
		members[i].PAXRecords["SCHILY.xattr."+name] = value
		return nil
	}
	return fmt.Errorf("%s: there is no %s", text, path)
}

func unpack(path string) ([]member, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var members []member
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		members = append(members, member{*header, content})
	}
}

func pack(path string, members []member) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	for _, m := range members {
		if err := w.WriteHeader(&m.Header); err != nil {
			return err
		}
		if _, err := w.Write(m.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
