package loader

import (
	"fmt"
	"slices"

	"github.com/mattn/go-shellwords"
)

// arguments are the user's, sorted out.
type arguments struct {
	run       bool
	options   []string // of docker run
	container []string // after the image
}

// parseArgs joins the options of the plan and the user's. Those of the user are taken
// as they are; those of the plan are split into words as a shell would, variables
// of the environment included, but nothing is ever executed.
func parseArgs(p Params) (arguments, error) {
	if !p.Plan.Run {
		return arguments{}, nil
	}
	words := shellwords.NewParser()
	words.ParseEnv = true
	words.Getenv = p.Getenv
	options, err := words.Parse(p.Plan.RunFlags)
	if err != nil || words.Position >= 0 {
		return arguments{}, fmt.Errorf("docker_run_flags %q cannot be split into words: close all quotes and "+
			"quote ; & | < > ( )", p.Plan.RunFlags)
	}
	user := p.Args
	var container []string
	if at := slices.Index(user, "--"); at >= 0 {
		user, container = user[:at], user[at+1:]
	}
	if slices.Contains(user, "--norun") {
		return arguments{}, nil
	}
	return arguments{run: true, options: append(options, user...), container: container}, nil
}
