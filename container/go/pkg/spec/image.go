package spec

// Image describes the configuration and the manifests of one image.
type Image struct {
	Version int    `json:"version"`
	Target  string `json:"target"`

	// BaseConfig and BaseManifest are "" for an image from scratch. The manifest is
	// only consulted for the URLs of foreign layers.
	BaseConfig   string `json:"base_config"`
	BaseManifest string `json:"base_manifest"`
	// BaseArchive is "" or the directory of an ArchiveIndex. Its layers come before
	// Layers and belong to BaseConfig.
	BaseArchive string `json:"base_archive"`
	// Verbatim keeps BaseConfig byte for byte (container_import): no field below
	// applies and NewLayers must be 0.
	Verbatim bool `json:"verbatim"`

	// Layers of the whole image but for BaseArchive's, bottom-most first. The last NewLayers of them are
	// not yet in BaseConfig.
	Layers    []ImageLayer `json:"layers"`
	NewLayers int          `json:"new_layers"`

	Architecture string `json:"architecture"` // "" keeps the base's, amd64 from scratch
	OS           string `json:"os"`           // "" keeps the base's, linux from scratch
	OSVersion    string `json:"os_version"`

	// CreationTime is seconds or milliseconds since the epoch, RFC 3339, or "" for
	// the epoch (when stamping: for the time of the build).
	CreationTime string `json:"creation_time"`

	// Entrypoint and Cmd: null keeps the base's, [] removes it.
	Entrypoint     []string `json:"entrypoint"`
	Cmd            []string `json:"cmd"`
	LauncherPrefix []string `json:"launcher_prefix"` // prepended once to the resulting entrypoint

	Env          []KeyValue `json:"env"`
	Labels       []Label    `json:"labels"`
	ExposedPorts []string   `json:"ports"`
	Volumes      []string   `json:"volumes"`
	User         string     `json:"user"`    // "" keeps the base's
	WorkingDir   string     `json:"workdir"` // "" keeps the base's

	StampFiles []string `json:"stamp_files"` // workspace status files; empty: braces are literal
}

// ImageLayer is one layer of an image.
type ImageLayer struct {
	Metadata string     `json:"metadata"` // path of its LayerMetadata
	Env      []KeyValue `json:"env"`      // of container_layer; applied before the image's own
}

// KeyValue is an entry of an ordered dictionary.
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Label is a label of the image's configuration, given literally or as the path of
// a file whose content is the value.
type Label struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	File  string `json:"file"`
}

func (i Image) version() int { return i.Version }
