package loader

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/dockersave"
)

// asked is how many images one call asks about: command lines are not endless.
const asked = 100

// chains are the chain ids of the layers that need not be sent, which docker then takes
// from the images that it has. It keeps layers only as long as an image has them, so
// its images tell. There are none for podman, and for a docker that keeps its images in
// containerd: those refuse an archive without all of its layers.
func (t *tool) chains(ctx context.Context) map[v1.Hash]bool {
	present := map[v1.Hash]bool{}
	if !t.takesParts(ctx) {
		return present
	}
	list, err := t.ask(ctx, "image", "ls", "--all", "--quiet", "--no-trunc")
	if err != nil {
		return present
	}
	ids := strings.Fields(string(list))
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), asked) {
		// If one of them was removed meanwhile, the call fails and tells of the others.
		layers, _ := t.ask(ctx, append([]string{"image", "inspect", "--format={{json .RootFS.Layers}}"}, some...)...)
		for _, line := range bytes.Split(layers, []byte("\n")) {
			var diffIDs []v1.Hash
			if json.Unmarshal(line, &diffIDs) != nil {
				continue // nothing to be had from this image
			}
			for _, chain := range dockersave.ChainIDs(diffIDs) {
				present[chain] = true
			}
		}
	}
	return present
}

// takesParts tells whether the tool is a docker with a storage driver of its own.
// podman's information has no such field.
func (t *tool) takesParts(ctx context.Context) bool {
	text, err := t.ask(ctx, "info", "--format={{json .DriverStatus}}")
	if err != nil {
		return false
	}
	var status [][]string
	if json.Unmarshal(text, &status) != nil {
		return false
	}
	return !slices.ContainsFunc(status, func(pair []string) bool {
		return len(pair) == 2 && pair[0] == "driver-type" && strings.HasPrefix(pair[1], "io.containerd.")
	})
}

// ask returns what a call says that changes nothing. It says it to nobody else: a tool
// that does not work will say so when it loads.
func (t *tool) ask(ctx context.Context, args ...string) ([]byte, error) {
	cmd := t.command(ctx, args)
	cmd.Stderr = nil
	return cmd.Output()
}
