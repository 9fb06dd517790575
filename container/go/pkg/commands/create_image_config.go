package commands

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/image"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/imageflags"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/outfile"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/spec"
)

// builtBy is the target of the history that upstream's program writes, since it is not
// told one.
const builtBy = "..."

// imageFlags are what needs more than a place in a spec.Image.
type imageFlags struct {
	spec                       spec.Image
	nullEntrypoint, nullCmd    bool
	labels, env, layers        imageflags.Texts
	outputConfig, baseManifest string
	outputManifest             string
}

func createImageConfig(set *flag.FlagSet) action {
	f := &imageFlags{spec: spec.Image{Version: spec.Version, Target: builtBy}}
	i := &f.spec
	set.StringVar(&i.BaseConfig, "baseConfig", "", "`file` with the configuration to start from; none starts from scratch")
	set.StringVar(&f.baseManifest, "baseManifest", "", "`file` to copy to -outputManifest")
	set.StringVar(&f.outputConfig, "outputConfig", "", "`file` to write the configuration to")
	set.StringVar(&f.outputManifest, "outputManifest", "", "`file` to copy -baseManifest to; without that, {} is written")
	set.StringVar(&i.CreationTime, "creationTime", "", "`time` of creation: seconds or milliseconds since the epoch, or RFC 3339; stamped; by default the epoch")
	set.StringVar(&i.User, "user", "", "`user` that a container runs as; stamped; by default the base's")
	set.StringVar(&i.WorkingDir, "workdir", "", "working `directory` of a container; stamped; by default the base's")
	set.BoolVar(&f.nullEntrypoint, "nullEntryPoint", false, "remove the base's entrypoint")
	set.BoolVar(&f.nullCmd, "nullCmd", false, "remove the base's command")
	set.StringVar(&i.Architecture, "architecture", "", "CPU `architecture`; by default the base's, or amd64 from scratch")
	set.StringVar(&i.OS, "operatingSystem", "", "operating `system`; by default the base's, or linux from scratch")
	set.StringVar(&i.OSVersion, "osVersion", "", "`version` of the operating system; stamped; by default the base's")
	set.Var(&f.labels, "labels", "`KEY=VALUE`; @FILE is the content of a file, \\@ a literal @; stamped; may be repeated")
	set.Var((*imageflags.Texts)(&i.ExposedPorts), "ports", "`port` to expose, such as 80 or 53/udp; may be repeated")
	set.Var((*imageflags.Texts)(&i.Volumes), "volumes", "mount `point` to declare; may be repeated")
	set.Var((*imageflags.Texts)(&i.LauncherPrefix), "entrypointPrefix", "`word` to put in front of the entrypoint; may be repeated")
	set.Var(&f.env, "env", "`KEY=VALUE` of the environment; stamped; $X is the base's X; may be repeated")
	set.Var((*imageflags.Texts)(&i.Cmd), "command", "`word` of the command; stamped; may be repeated; by default the base's")
	set.Var((*imageflags.Texts)(&i.Entrypoint), "entrypoint", "`word` of the entrypoint; stamped; may be repeated; by default the base's")
	set.Var(&f.layers, "layerDigestFile", "`@FILE` with the hex diff id of a new layer; may be repeated")
	set.Var((*imageflags.Texts)(&i.StampFiles), "stampInfoFile", "workspace status `file` that {KEY} is looked up in; may be repeated")
	return func(context.Context, Params, []string) error {
		if err := require(set, "outputConfig"); err != nil {
			return err
		}
		if err := f.complete(); err != nil {
			return err
		}
		return f.write()
	}
}

// complete puts into the spec what the flags say in other words.
func (f *imageFlags) complete() error {
	i := &f.spec
	if i.CreationTime == "" {
		i.CreationTime = "0" // else it would be the time of the build when stamping
	}
	for _, null := range []struct {
		flag, other string
		given       bool
		list        *[]string
	}{{"nullEntryPoint", "entrypoint", f.nullEntrypoint, &i.Entrypoint}, {"nullCmd", "command", f.nullCmd, &i.Cmd}} {
		if null.given && len(*null.list) > 0 {
			return fmt.Errorf("%w: -%s and -%s contradict each other; give one of them", ErrUsage, null.flag, null.other)
		}
		if null.given {
			*null.list = []string{}
		}
	}
	for _, text := range f.labels {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("-labels %q is not KEY=VALUE", text)
		}
		label := spec.Label{Key: key, Value: value}
		if file, ok := strings.CutPrefix(value, "@"); ok {
			label.File = file
		} else if strings.HasPrefix(value, `\@`) {
			label.Value = value[1:]
		}
		i.Labels = append(i.Labels, label)
	}
	for _, text := range f.env {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("-env %q is not KEY=VALUE", text)
		}
		i.Env = append(i.Env, spec.KeyValue{Key: key, Value: value})
	}
	return nil
}

func (f *imageFlags) write() error {
	var diffIDs []v1.Hash
	for _, text := range f.layers {
		id, err := readHash(strings.TrimPrefix(text, "@"))
		if err != nil {
			return fmt.Errorf("-layerDigestFile: %w", err)
		}
		diffIDs = append(diffIDs, id)
	}
	config, err := image.Configure(f.spec, diffIDs)
	if err != nil {
		return err
	}
	manifest := []byte("{}")
	if f.baseManifest != "" {
		if manifest, err = os.ReadFile(f.baseManifest); err != nil {
			return fmt.Errorf("reading the base's manifest: %w", err)
		}
	}
	if f.outputManifest != "" {
		if err := outfile.WriteText(f.outputManifest, string(manifest)); err != nil {
			return err
		}
	}
	err = outfile.Write(f.outputConfig, func(w io.Writer) error {
		_, err := w.Write(config)
		return err
	})
	if err != nil && f.outputManifest != "" {
		err = errors.Join(err, os.Remove(f.outputManifest))
	}
	return err
}
