package spec

// PushPlan lists what one run of the pusher has to push. A rule writes it next to
// the executable that bazel run starts; its paths are runfiles paths.
type PushPlan struct {
	Version    int    `json:"version"`
	Sequential bool   `json:"sequential"` // one image after the other, stopping at the first failure
	Images     []Push `json:"images"`
}

// Push is one image and where it goes.
type Push struct {
	Target    string `json:"target"`     // label of the target, for messages
	BuildFile string `json:"build_file"` // path of its BUILD file, for messages
	Rule      string `json:"rule"`       // rule or macro that the user wrote, for messages

	Format string `json:"format"` // "Docker" or "OCI"
	// Destination is the whole reference, instead of the five fields after it. Without
	// a tag it means latest.
	Destination string `json:"destination"`
	Registry    string `json:"registry"`
	Repository  string `json:"repository"`
	Tag         string `json:"tag"`
	// RepositoryFile and TagFile replace Repository and Tag by a file's content.
	RepositoryFile string `json:"repository_file"`
	TagFile        string `json:"tag_file"`

	InsecureRepository  bool     `json:"insecure_repository"`
	SkipUnchangedDigest bool     `json:"skip_unchanged_digest"`
	ClientConfigDir     string   `json:"client_config_dir"` // directory of a docker config.json; not a runfiles path
	StampFiles          []string `json:"stamp_files"`

	// The image: its manifest, configuration and layers (in the manifest's order).
	Manifest string `json:"manifest"`
	Config   string `json:"config"`
	// Archive is "" or the directory of an ArchiveIndex, whose layers come first.
	Archive string   `json:"archive"`
	Layers  []string `json:"layers"` // "" for a foreign layer, which is not pushed

	// BaseRegistry and BaseRepository say where the base was pulled from, so that its
	// layers, the first BaseLayers of Layers, can be mounted instead of uploaded.
	BaseRegistry   string `json:"base_registry"`
	BaseRepository string `json:"base_repository"`
	BaseLayers     int    `json:"base_layers"`
}

func (p PushPlan) version() int { return p.Version }
