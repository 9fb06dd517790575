package spec

// Layer describes one layer to build: container_layer and the own layer of
// container_image. Everything is inserted in the order of the fields below, and
// the first to claim a path keeps it.
type Layer struct {
	Version int    `json:"version"`
	Target  string `json:"target"` // label of the target, for messages

	Directory string `json:"directory"` // prefix of Tars and Debs; File.Destination has it already
	Root      string `json:"root"`      // "" or, for Windows images, "Files"

	// Mode is an octal text (0o555, 0555, 555) for Files, EmptyFiles and EmptyDirs;
	// "" means 0755 for executables and directories and 0644 for the rest.
	Mode          string `json:"mode"`
	MTime         int64  `json:"mtime"`          // seconds since the epoch
	PreserveMTime bool   `json:"preserve_mtime"` // keep the mtimes of members of Tars and Debs

	Files      []File     `json:"files"`
	EmptyFiles []string   `json:"empty_files"` // paths from the image's root
	EmptyDirs  []string   `json:"empty_dirs"`  // paths from the image's root
	OwnedDirs  []OwnedDir `json:"owned_dirs"`
	Symlinks   []Symlink  `json:"symlinks"`
	// Attributes are exceptions to the mode and owner of Files, EmptyFiles and
	// EmptyDirs, which no rule has; of equal names the last counts.
	Attributes []Attributes `json:"attributes"`
	Tars       []string     `json:"tars"` // archives, plain or compressed, told apart by content
	Debs       []string     `json:"debs"`

	Compression Compression `json:"compression"`
}

// File is one file or directory (walked recursively) to put into a layer.
type File struct {
	Source      string `json:"src"`
	Destination string `json:"dst"` // path in the image, without a leading slash
}

// OwnedDir is an empty directory with an owner and a mode of its own.
type OwnedDir struct {
	Name string `json:"name"` // path from the image's root
	Mode string `json:"mode"` // octal
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

// Attributes are the mode and owner of a path.
type Attributes struct {
	Name  string `json:"name"` // path from the image's root; "" is all that have no entry of their own
	Mode  string `json:"mode"` // octal; "" is no exception
	UID   int    `json:"uid"`
	GID   int    `json:"gid"`
	User  string `json:"user"`  // name beside UID, or ""
	Group string `json:"group"` // name beside GID, or ""
}

// Symlink is a symbolic link to put into a layer. Its target is never followed.
type Symlink struct {
	Name   string `json:"name"`   // path from the image's root
	Target string `json:"target"` // as it is to be recorded
}

// Compression says how the layer's blob is made from its tar.
type Compression struct {
	Algorithm string `json:"algorithm"` // "gzip", "zstd" or "none"
	Level     int    `json:"level"`     // 0 is the algorithm's default
}

// LayerMetadata describes a layer blob. It is all that the configuration and the
// manifests of an image need to know about it.
type LayerMetadata struct {
	Version          int      `json:"version"`
	MediaType        string   `json:"media_type"` // Docker's or the OCI's, by how the blob is compressed
	Digest           string   `json:"digest"`     // of the blob, sha256:<hex>
	Size             int64    `json:"size"`       // of the blob, in bytes
	DiffID           string   `json:"diff_id"`    // digest of the uncompressed tar
	UncompressedSize int64    `json:"uncompressed_size"`
	URLs             []string `json:"urls,omitempty"` // where a foreign layer is to be had
}

func (l Layer) version() int         { return l.Version }
func (m LayerMetadata) version() int { return m.Version }
