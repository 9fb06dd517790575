package registries

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// KeyPair is a certificate and its key, as paths of PEM files.
type KeyPair struct{ Certificate, Key string }

// SelfSignedPair makes a certificate for this package's registries that is right in
// all but who vouches for it, in files below dir.
func SelfSignedPair(dir string) (KeyPair, error) {
	issued, err := issue(serverTemplate(), nil)
	if err != nil {
		return KeyPair{}, err
	}
	return issued.save(dir, "self-signed")
}

// selfSigned is the certificate of SelfSignedPair in memory.
func selfSigned() (tls.Certificate, error) {
	issued, err := issue(serverTemplate(), nil)
	return issued.tls(), err
}

// Authority is a certificate authority that nobody knows unless told.
type Authority struct {
	// Certificate is the path of its own, a PEM file.
	Certificate string

	dir string
	issued
}

// NewAuthority makes an authority with its files below dir.
func NewAuthority(dir string) (*Authority, error) {
	made, err := issue(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "an authority of the tests"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, nil)
	if err != nil {
		return nil, err
	}
	pair, err := made.save(dir, "authority")
	return &Authority{Certificate: pair.Certificate, dir: dir, issued: made}, err
}

// Server issues a certificate for this package's registries and token servers.
func (a *Authority) Server() (KeyPair, error) { return a.pair("server", serverTemplate()) }

// Client issues a certificate that a client can show.
func (a *Authority) Client() (KeyPair, error) {
	return a.pair("client", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "a client of the tests"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *Authority) pair(name string, template *x509.Certificate) (KeyPair, error) {
	made, err := issue(template, &a.issued)
	if err != nil {
		return KeyPair{}, err
	}
	return made.save(a.dir, name)
}

func serverTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: "a registry of the tests"},
		IPAddresses: []net.IP{net.ParseIP(host), net.ParseIP(elsewhere)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// issued is a certificate with its key.
type issued struct {
	der []byte
	key *ecdsa.PrivateKey
}

// issue makes a certificate, signed by itself if by is nil.
func issue(template *x509.Certificate, by *issued) (issued, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return issued{}, fmt.Errorf("making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return issued{}, fmt.Errorf("making a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	parent, signer := template, key
	if by != nil {
		if parent, err = x509.ParseCertificate(by.der); err != nil {
			return issued{}, fmt.Errorf("reading the authority: %w", err)
		}
		signer = by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return issued{}, fmt.Errorf("making a certificate: %w", err)
	}
	return issued{der: der, key: key}, nil
}

func (i issued) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.der}, PrivateKey: i.key}
}

func (i issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.der})
}

// save writes NAME.cert and NAME.key, as docker's certs.d wants them called.
func (i issued) save(dir, name string) (KeyPair, error) {
	key, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return KeyPair{}, fmt.Errorf("writing a key: %w", err)
	}
	pair := KeyPair{Certificate: filepath.Join(dir, name+".cert"), Key: filepath.Join(dir, name+".key")}
	if err := os.WriteFile(pair.Certificate, i.pem(), 0o600); err != nil {
		return KeyPair{}, err
	}
	return pair, os.WriteFile(pair.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
}
