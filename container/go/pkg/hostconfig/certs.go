package hostconfig

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// containersCertificates are the folders of containers-certs.d(5) for a host; the first
// that exists counts.
func (c *Config) containersCertificates(host string) []string {
	var paths []string
	if path := c.home(".config", "containers", "certs.d", host); path != "" {
		paths = append(paths, path)
	}
	return append(paths, c.system("etc", "containers", "certs.d", host))
}

// dockerCertificates are the folders where docker has its own for a host.
func (c *Config) dockerCertificates(host string) []string {
	paths := []string{c.system("etc", "docker", "certs.d", host)}
	for _, path := range []string{c.userConfig("docker", "certs.d", host), c.home(".docker", "certs.d", host)} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// certificates are what certs.d of containers and of docker have for a host.
func (c *Config) certificates(host string) (registry.TLS, error) {
	folders := existing(c.containersCertificates(host))
	folders = append(folders[:min(1, len(folders))], existing(c.dockerCertificates(host))...)
	var known registry.TLS
	for _, dir := range folders {
		more, err := certificatesIn(dir)
		if err != nil {
			return registry.TLS{}, err
		}
		known = known.And(more)
	}
	return known, nil
}

// certificatesIn reads a folder of certificates: *.crt are authorities, *.cert with its
// *.key is a client certificate. What may not be read is passed over, as elsewhere: docker
// reads its keys as root.
func certificatesIn(dir string) (registry.TLS, error) {
	names, err := folder(dir)
	if err != nil {
		return registry.TLS{}, err
	}
	var known registry.TLS
	for _, n := range names {
		more := registry.TLS{}
		path := filepath.Join(dir, n)
		base := strings.TrimSuffix(path, filepath.Ext(path))
		switch filepath.Ext(n) {
		case ".crt":
			more, err = Authorities(path)
		case ".cert":
			if !slices.Contains(names, filepath.Base(base)+".key") {
				return registry.TLS{}, fmt.Errorf("%s has no %s.key beside it; the certificate of an authority is called *.crt", path, base)
			}
			more, err = ClientCertificate(path, base+".key")
		case ".key":
			if !slices.Contains(names, filepath.Base(base)+".cert") {
				return registry.TLS{}, fmt.Errorf("%s has no %s.cert beside it", path, base)
			}
		}
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return registry.TLS{}, err
		}
		known = known.And(more)
	}
	return known, nil
}

// Authorities reads a file of PEM certificates to trust. One that may not be read, or
// has no certificate in it, is an error.
func Authorities(path string) (registry.TLS, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return registry.TLS{}, fmt.Errorf("reading the certificate of an authority: %w", err)
	}
	known := registry.TLS{Files: []string{path}}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return registry.TLS{}, fmt.Errorf("%s: %w", path, err)
		}
		known.Authorities = append(known.Authorities, certificate)
	}
	if len(known.Authorities) == 0 {
		return registry.TLS{}, fmt.Errorf("%s has no certificate in it; it has to be in PEM form (-----BEGIN CERTIFICATE-----)", path)
	}
	return known, nil
}

// ClientCertificate reads the PEM certificate, with those it was signed by, and its key.
// An empty key means that it is in the certificate's file.
func ClientCertificate(certificate, key string) (registry.TLS, error) {
	files := []string{certificate, key}
	if key == "" {
		key, files = certificate, files[:1]
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			return registry.TLS{}, fmt.Errorf("reading the client certificate: %w", err)
		}
		return registry.TLS{}, fmt.Errorf("client certificate %s with key %s: %w", certificate, key, err)
	}
	return registry.TLS{Certificates: []tls.Certificate{pair}, Files: files}, nil
}
