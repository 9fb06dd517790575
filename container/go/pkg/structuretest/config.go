// Package structuretest checks an image against the documents of the program
// container-structure-test, schema version 2.0.0: which files there are, what is in
// them, and what the image's configuration says. It reads the image's layers and
// needs neither docker nor a container.
package structuretest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"
)

const schemaVersion = "2.0.0"

// ErrUnsupported says that a document asks for what this package cannot do.
var ErrUnsupported = errors.New("not supported")

// Config is a document. Fields that only matter for commands are read and not used.
type Config struct {
	SchemaVersion       string              `yaml:"schemaVersion"`
	FileExistenceTests  []FileExistenceTest `yaml:"fileExistenceTests"`
	FileContentTests    []FileContentTest   `yaml:"fileContentTests"`
	MetadataTest        MetadataTest        `yaml:"metadataTest"`
	CommandTests        []yaml.Node         `yaml:"commandTests"`
	LicenseTests        []yaml.Node         `yaml:"licenseTests"`
	GlobalEnvVars       yaml.Node           `yaml:"globalEnvVars"`
	ContainerRunOptions yaml.Node           `yaml:"containerRunOptions"`
}

// FileExistenceTest wants a path to be there, or not.
type FileExistenceTest struct {
	Name           string `yaml:"name"`
	Path           string `yaml:"path"`
	ShouldExist    *bool  `yaml:"shouldExist"` // nil is true
	Permissions    string `yaml:"permissions"` // as ls prints them, "-rw-r--r--"
	UID            *int   `yaml:"uid"`
	GID            *int   `yaml:"gid"`
	IsExecutableBy string `yaml:"isExecutableBy"` // owner, group, other or any
}

// FileContentTest wants a file to have matches of some regular expressions and none of
// others.
type FileContentTest struct {
	Name             string   `yaml:"name"`
	Path             string   `yaml:"path"`
	ExpectedContents []string `yaml:"expectedContents"`
	ExcludedContents []string `yaml:"excludedContents"`
}

// MetadataTest wants the configuration to say something; nil and empty fields are not
// checked.
type MetadataTest struct {
	Env              []KeyValue `yaml:"env"`
	EnvVars          []KeyValue `yaml:"envVars"` // older name of env
	UnboundEnvVars   []KeyValue `yaml:"unboundEnvVars"`
	Labels           []KeyValue `yaml:"labels"`
	Entrypoint       *[]string  `yaml:"entrypoint"`
	Cmd              *[]string  `yaml:"cmd"`
	ExposedPorts     []string   `yaml:"exposedPorts"`
	UnexposedPorts   []string   `yaml:"unexposedPorts"`
	Volumes          []string   `yaml:"volumes"`
	UnmountedVolumes []string   `yaml:"unmountedVolumes"`
	Workdir          string     `yaml:"workdir"`
	User             string     `yaml:"user"`
}

// KeyValue is a variable or a label and its value, which may be a regular expression.
type KeyValue struct {
	Key     string `yaml:"key"`
	Value   string `yaml:"value"`
	IsRegex bool   `yaml:"isRegex"`
}

// Parse reads a document; JSON is YAML. Fields that it does not know are errors, so
// that no misspelt test goes unnoticed.
func Parse(data []byte) (Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	if c.SchemaVersion != schemaVersion {
		return Config{}, fmt.Errorf("%w: schemaVersion is %q, and has to be %q", ErrUnsupported, c.SchemaVersion, schemaVersion)
	}
	if len(c.CommandTests) > 0 {
		return Config{}, fmt.Errorf("%w: commandTests start containers, which a test without docker cannot; "+
			"check files and metadata here, and commands by a test of their own", ErrUnsupported)
	}
	if len(c.LicenseTests) > 0 {
		return Config{}, fmt.Errorf("%w: licenseTests", ErrUnsupported)
	}
	return c, c.check()
}

func (c Config) check() error {
	for _, t := range c.FileExistenceTests {
		if t.Path == "" {
			return fmt.Errorf("fileExistenceTests: %q has no path", t.Name)
		}
		switch t.IsExecutableBy {
		case "", "owner", "group", "other", "any":
		default:
			return fmt.Errorf("fileExistenceTests: %q: isExecutableBy %q is none of owner, group, other and any", t.Name, t.IsExecutableBy)
		}
	}
	for _, t := range c.FileContentTests {
		if t.Path == "" {
			return fmt.Errorf("fileContentTests: %q has no path", t.Name)
		}
		for _, pattern := range append(append([]string{}, t.ExpectedContents...), t.ExcludedContents...) {
			if _, err := regexp.Compile(pattern); err != nil {
				return fmt.Errorf("fileContentTests: %q: %w", t.Name, err)
			}
		}
	}
	for _, kv := range c.MetadataTest.patterns() {
		if _, err := regexp.Compile(kv.Value); kv.IsRegex && err != nil {
			return fmt.Errorf("metadataTest: %q: %w", kv.Key, err)
		}
	}
	return nil
}

func (m MetadataTest) patterns() []KeyValue {
	var all []KeyValue
	for _, list := range [][]KeyValue{m.Env, m.EnvVars, m.Labels} {
		all = append(all, list...)
	}
	return all
}
