// Command imagetool is all programs of the project in one: the builder of layers and
// images that build actions run, and the pusher and loader that bazel run starts.
package main

import (
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/cli"
)

// version is set by the linker when a release is made.
var version = "development"

func main() { os.Exit(cli.Exec(version, cli.Main)) }
