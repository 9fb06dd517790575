package registries

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Memory starts a registry that keeps everything in memory. It needs no program on
// the machine. Of the options it knows TLS and ClientCA.
func Memory(opts ...Option) (*Server, error) {
	config, err := serverTLS(collect(opts))
	if err != nil {
		return nil, err
	}
	return serve(host, inMemory(), config)
}

// SelfSigned is Memory on HTTPS with a certificate that it has signed itself.
func SelfSigned() (*Server, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	return serve(host, inMemory(), &tls.Config{Certificates: []tls.Certificate{certificate}})
}

func inMemory() http.Handler {
	return registry.New(registry.Logger(log.New(io.Discard, "", 0)))
}

// serverTLS is nil for plain HTTP.
func serverTLS(o options) (*tls.Config, error) {
	if o.tls == nil {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(o.tls.Certificate, o.tls.Key)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if o.clientCA != "" {
		data, err := os.ReadFile(o.clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !config.ClientCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s holds no certificate", o.clientCA)
		}
	}
	return config, nil
}
