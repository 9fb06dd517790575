// Command puller pulls an image from a registry. It is for use outside Bazel;
// container_pull runs it as part of imagetool.
package main

import (
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/cli"
)

// version is set by the linker when a release is made.
var version = "development"

func main() { os.Exit(cli.Exec(version, cli.Puller)) }
