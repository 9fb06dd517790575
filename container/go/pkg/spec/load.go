package spec

// Tarball describes a docker-save archive of one or several images.
type Tarball struct {
	Version int            `json:"version"`
	Target  string         `json:"target"`
	Format  string         `json:"format"` // "legacy" or "compressed"
	Images  []TarballImage `json:"images"`
	// StampFiles resolve {KEY} in the tags.
	StampFiles []string `json:"stamp_files"`
}

// TarballImage is one tagged image of a docker-save archive.
type TarballImage struct {
	Tag    string `json:"tag"` // repository:name, or a repository alone
	Config string `json:"config"`
	// Archive is "" or the directory of an ArchiveIndex, whose layers come first.
	Archive string   `json:"archive"`
	Layers  []string `json:"layers"` // blobs, bottom-most first
	// Metadata of each of Layers.
	Metadata []string `json:"metadata"`
}

// LoadPlan says what a container_image or a container_bundle does when it is run.
// Its paths are runfiles paths.
type LoadPlan struct {
	Version int     `json:"version"`
	Tarball Tarball `json:"tarball"`
	// Run starts a container of the only image once it is loaded.
	Run      bool   `json:"run"`
	RunFlags string `json:"run_flags"` // options of docker run, split as a shell would
	Tool     string `json:"tool"`      // docker or podman to use; "" looks for either on PATH
	// ToolFlags go before the tool's subcommand.
	ToolFlags []string `json:"tool_flags"`
}

func (t Tarball) version() int  { return t.Version }
func (l LoadPlan) version() int { return l.Version }
