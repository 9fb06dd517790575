package registries

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/process"
)

// The only account of a registry with Protected, and of a TokenServer.
const (
	User     = "pusher"
	Password = "open sesame: 7"
	// bcrypt of Password, as htpasswd -B makes it.
	passwordHash = "$2y$05$Hf2FXT17usmec2TT1miD6eUIYxCdhfmLERGKG3.XN9JGSjKsyXmQe"
)

// Distribution is a CNCF distribution registry in a process of its own, with its
// files below one directory.
type Distribution struct{ *process.Process }

// StartDistribution starts a distribution registry with its files below dir, which
// must exist, and returns once it answers. By default it is the docker-registry on
// PATH.
func StartDistribution(ctx context.Context, dir string, opts ...Option) (*Distribution, error) {
	o := collect(opts)
	var err error
	if o.program == "" {
		if o.program, err = exec.LookPath("docker-registry"); err != nil {
			return nil, fmt.Errorf("finding docker-registry (on Debian: apt-get install docker-registry): %w", err)
		}
	}
	p, err := process.Start(ctx, o.addr, o.program, func(addr string) ([]string, error) {
		config, err := writeConfig(dir, addr, o)
		return []string{"serve", config}, err
	})
	if err != nil {
		return nil, err
	}
	return &Distribution{p}, nil
}

// section is a part of distribution's configuration, which is YAML: JSON will do.
type section map[string]any

func writeConfig(dir, addr string, o options) (string, error) {
	http := section{"addr": addr}
	if o.tls != nil {
		secured := section{"certificate": o.tls.Certificate, "key": o.tls.Key}
		if o.clientCA != "" {
			secured["clientcas"] = []string{o.clientCA}
		}
		http["tls"] = secured
	}
	config := section{
		"version": "0.1",
		"log":     section{"level": "warn", "accesslog": section{"disabled": false}},
		"storage": section{"filesystem": section{"rootdirectory": filepath.Join(dir, "data")}},
		"http":    http,
	}
	if o.upstream != "" {
		config["proxy"] = section{"remoteurl": "http://" + o.upstream}
	}
	switch {
	case o.protected:
		passwords := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(passwords, []byte(User+":"+passwordHash+"\n"), 0o600); err != nil {
			return "", err
		}
		config["auth"] = section{"htpasswd": section{"realm": "tests", "path": passwords}}
	case o.tokens != nil:
		bundle := filepath.Join(dir, "token.pem")
		if err := os.WriteFile(bundle, o.tokens.bundle(), 0o600); err != nil {
			return "", err
		}
		config["auth"] = section{"token": section{
			"realm": o.tokens.Realm(), "service": tokenService, "issuer": tokenIssuer, "rootcertbundle": bundle,
		}}
	}
	data, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "config.yml")
	return path, os.WriteFile(path, data, 0o600)
}

// accessLine finds the request in a line of the access log (Apache's combined format).
var accessLine = regexp.MustCompile(`"([A-Z]+ [^" ]+) HTTP/[0-9.]+" [0-9]`)

// Requests returns "METHOD PATH" of every request answered so far.
func (d *Distribution) Requests() []string {
	var requests []string
	for _, line := range strings.Split(d.Output(), "\n") {
		if m := accessLine.FindStringSubmatch(line); m != nil {
			requests = append(requests, m[1])
		}
	}
	return requests
}
