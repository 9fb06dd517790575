package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/builder"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/compress"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// portable is the time that -mtime=portable means: 2000-01-01T00:00:00Z.
const portable = 946684800

// tarFlags are those of build_tar.
type tarFlags struct {
	output, manifest, directory, mode, mtime, owner, ownerName, compression, root string
	files, emptyFiles, emptyDirs, emptyRootDirs, tars, debs, links                imageflags.Texts
	modes, owners, ownerNames                                                     imageflags.Texts
	preserve                                                                      pythonBool
}

// tarManifest is the document that -manifest names.
type tarManifest struct {
	Files []struct {
		Source      string `json:"src"`
		Destination string `json:"dst"`
	} `json:"files"`
	Symlinks []struct {
		Name   string `json:"linkname"`
		Target string `json:"target"`
	} `json:"symlinks"`
	EmptyFiles    []string `json:"empty_files"`
	EmptyDirs     []string `json:"empty_dirs"`
	EmptyRootDirs []string `json:"empty_root_dirs"`
	Tars          []string `json:"tars"`
	Debs          []string `json:"debs"`
}

// pythonBool is a flag with a value, which Python writes as True or False.
type pythonBool bool

func (b *pythonBool) String() string { return strconv.FormatBool(bool(*b)) }

// Set reads a value; "" is false.
func (b *pythonBool) Set(value string) error {
	parsed, err := strconv.ParseBool(value)
	if err != nil && value != "" {
		return errors.New("it has to be True or False")
	}
	*b = pythonBool(parsed)
	return nil
}

func buildTar(set *flag.FlagSet) action {
	f := &tarFlags{}
	set.StringVar(&f.output, "output", "", "`tar` to write")
	set.StringVar(&f.manifest, "manifest", "", "JSON `file` with lists of files, symlinks, empty_files, empty_dirs, empty_root_dirs, tars and debs")
	set.StringVar(&f.directory, "directory", "", "`directory` in the image for files, tars and debs")
	set.StringVar(&f.mode, "mode", "", "octal `mode` of files and empty directories, such as 0o555; by default 0755 for directories and executables and 0644 for the rest")
	set.StringVar(&f.mtime, "mtime", "", "modification `time` of everything: seconds since the epoch, or portable for the year 2000; by default the epoch")
	set.Var(&f.preserve, "enable_mtime_preservation", "`True` to keep the modification times of the members of tars and debs")
	set.StringVar(&f.root, "root_directory", "./", "`directory` in the tar that is the image's root: Files in images of Windows")
	set.StringVar(&f.compression, "compression", "", "`compression` of the tar: gz, tgz or none")
	set.StringVar(&f.owner, "owner", "0.0", "`UID.GID` of files and empty directories")
	set.StringVar(&f.ownerName, "owner_name", "", "`USER.GROUP` beside -owner")
	set.Var(&f.owners, "owners", "`PATH=UID.GID` of one of them; may be repeated")
	set.Var(&f.ownerNames, "owner_names", "`PATH=USER.GROUP` of one of them; may be repeated")
	set.Var(&f.modes, "modes", "`PATH=MODE` of one of them; may be repeated")
	set.Var(&f.files, "file", "`SOURCE=PATH`: a file or directory; may be repeated")
	set.Var(&f.emptyFiles, "empty_file", "`path` of an empty file; may be repeated")
	set.Var(&f.emptyDirs, "empty_dir", "`path` of an empty directory; may be repeated")
	set.Var(&f.emptyRootDirs, "empty_root_dir", "`path` of a directory beside -root_directory; may be repeated")
	set.Var(&f.tars, "tar", "`archive` to extract, plain or compressed; may be repeated")
	set.Var(&f.debs, "deb", "Debian `package` to extract; may be repeated")
	set.Var(&f.links, "link", "`PATH:TARGET` of a symbolic link; may be repeated")
	set.String("xz_path", "", "not used: `xz` is not needed")
	set.Var(new(pythonBool), "force_posixpath", "not used: paths in an image have slashes on every `system`")
	return func(ctx context.Context, p Params, _ []string) error {
		if err := require(set, "output"); err != nil {
			return err
		}
		l, err := f.layer()
		if err != nil {
			return err
		}
		return scratch(f.output, func(dir string) error {
			path, err := writeDocument(filepath.Join(dir, "layer.json"), l)
			if err != nil {
				return err
			}
			return builder.Run(ctx, []string{"layer", "--spec", path, "--out", f.output, "--metadata", filepath.Join(dir, "metadata.json")}, p.Stderr)
		})
	}
}

// layer puts the flags into the words of the builder.
func (f *tarFlags) layer() (spec.Layer, error) {
	l := spec.Layer{
		Version: spec.Version, Target: f.output, Directory: f.directory, Mode: f.mode,
		PreserveMTime: bool(f.preserve), EmptyFiles: f.emptyFiles, EmptyDirs: f.emptyDirs, Tars: f.tars, Debs: f.debs,
	}
	if root := path.Clean(f.root); root != "." && f.root != "" {
		l.Root = root
	}
	var err error
	if l.MTime, err = mtime(f.mtime); err != nil {
		return l, err
	}
	switch strings.TrimPrefix(f.compression, ".") {
	case "", "none":
		l.Compression.Algorithm = compress.None
	case "gz", "tgz":
		l.Compression.Algorithm = compress.Gzip
	default:
		return l, fmt.Errorf("-compression %q: it has to be gz, tgz or none; a layer cannot be anything else", f.compression)
	}
	for _, text := range f.files {
		source, destination, ok := strings.Cut(text, "=")
		if !ok {
			return l, fmt.Errorf("-file %q is not SOURCE=PATH", text)
		}
		l.Files = append(l.Files, spec.File{Source: source, Destination: path.Join(f.directory, destination)})
	}
	for _, text := range f.links {
		name, target, ok := strings.Cut(text, ":")
		if !ok {
			return l, fmt.Errorf("-link %q is not PATH:TARGET", text)
		}
		l.Symlinks = append(l.Symlinks, spec.Symlink{Name: name, Target: target})
	}
	if err := f.addManifest(&l); err != nil {
		return l, err
	}
	if err := f.addRootDirs(&l); err != nil {
		return l, err
	}
	l.Attributes, err = f.attributes()
	return l, err
}

func (f *tarFlags) addManifest(l *spec.Layer) error {
	if f.manifest == "" {
		return nil
	}
	data, err := os.ReadFile(f.manifest)
	if err != nil {
		return fmt.Errorf("reading the manifest: %w", err)
	}
	var m tarManifest
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return fmt.Errorf("%s: %w", f.manifest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: there is text after the document", f.manifest)
	}
	for _, file := range m.Files {
		l.Files = append(l.Files, spec.File{Source: file.Source, Destination: path.Join(f.directory, file.Destination)})
	}
	for _, link := range m.Symlinks {
		l.Symlinks = append(l.Symlinks, spec.Symlink{Name: link.Name, Target: link.Target})
	}
	l.EmptyFiles = append(l.EmptyFiles, m.EmptyFiles...)
	l.EmptyDirs = append(l.EmptyDirs, m.EmptyDirs...)
	l.Tars = append(l.Tars, m.Tars...)
	l.Debs = append(l.Debs, m.Debs...)
	f.emptyRootDirs = append(f.emptyRootDirs, m.EmptyRootDirs...)
	return nil
}

// addRootDirs: beside the root of an image of Windows there are Files and Hives, which
// the builder makes; where there is no root of its own, they are as any other.
func (f *tarFlags) addRootDirs(l *spec.Layer) error {
	if l.Root == "" {
		l.EmptyDirs = append(l.EmptyDirs, f.emptyRootDirs...)
		return nil
	}
	for _, name := range f.emptyRootDirs {
		if clean := path.Clean("/" + name); clean != "/Files" && clean != "/Hives" {
			return fmt.Errorf("-empty_root_dir %q: beside -root_directory %s there can only be Files and Hives", name, f.root)
		}
	}
	return nil
}

func mtime(text string) (int64, error) {
	switch text {
	case "":
		return 0, nil
	case "portable":
		return portable, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("-mtime %q is neither a number of seconds nor portable", text)
	}
	return seconds, nil
}
