package spec

// TestPlan says what the executable of a test checks. Its paths are runfiles paths.
// One of its two parts is set.
type TestPlan struct {
	Version   int            `json:"version"`
	Target    string         `json:"target"`
	SameID    *SameIDTest    `json:"same_id"`
	Structure *StructureTest `json:"structure"`
}

// SameIDTest wants all images to have one image id, the digest of the configuration.
type SameIDTest struct {
	Images []IDSource `json:"images"`
	ID     string     `json:"id"` // hex, with or without sha256:; "" takes any
}

// IDSource is an image whose id is wanted: its configuration or a docker-save archive.
type IDSource struct {
	Name    string `json:"name"` // for messages
	Config  string `json:"config"`
	Tarball string `json:"tarball"`
}

// StructureTest checks an image against container-structure-test's documents.
type StructureTest struct {
	Configs []string     `json:"configs"` // YAML or JSON
	Image   TarballImage `json:"image"`
}

func (t TestPlan) version() int { return t.Version }
