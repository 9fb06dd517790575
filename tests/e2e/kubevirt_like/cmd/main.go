// Command cmd is what the images of this workspace hold, for each processor.
package main

import (
	"os"
	"runtime"
)

func main() { os.Stdout.WriteString(runtime.GOARCH + "\n") }
