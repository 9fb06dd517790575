package registries

import (
	"context"
	"errors"
	"net"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

// Olareg is an olareg registry in a process of its own. It keeps no record of what
// it was asked.
type Olareg struct{ *process.Process }

// StartOlareg starts the program that Program names with its files below dir, which
// must exist, and returns once it answers. Of the options it knows At, Program and TLS.
func StartOlareg(ctx context.Context, dir string, opts ...Option) (*Olareg, error) {
	o := collect(opts)
	if o.program == "" {
		return nil, errors.New("olareg: name its program (tests/setup/program.sh olareg builds it)")
	}
	if o.protected || o.clientCA != "" || o.tokens != nil {
		return nil, errors.New("olareg: it does not know its clients")
	}
	p, err := process.Start(ctx, o.addr, o.program, func(addr string) ([]string, error) {
		ip, port, err := net.SplitHostPort(addr)
		args := []string{"serve", "--addr", ip, "--port", port, "--dir", dir}
		if o.tls != nil {
			args = append(args, "--tls-cert", o.tls.Certificate, "--tls-key", o.tls.Key)
		}
		return args, err
	})
	if err != nil {
		return nil, err
	}
	return &Olareg{p}, nil
}
