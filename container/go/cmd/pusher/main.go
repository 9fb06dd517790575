// Command pusher pushes an image to a registry. It is for use outside Bazel; bazel
// run starts it as part of imagetool.
package main

import (
	"os"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/cli"
)

// version is set by the linker when a release is made.
var version = "development"

func main() { os.Exit(cli.Exec(version, cli.Pusher)) }
