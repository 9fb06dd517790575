package puller

import (
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// failure says what failed and, where the user can do something about it, what.
func failure(f *flags, ref name.Reference, err error, keychain *registry.Keychain) error {
	text := fmt.Sprintf("%s: reading image %q: %v", errPull, f.name, err)
	if advice := advise(f, ref.Context(), err, keychain); advice != "" {
		text += "\n" + advice
	}
	return errors.New(text)
}

func advise(f *flags, repo name.Repository, err error, keychain *registry.Keychain) string {
	host := repo.RegistryStr()
	insecure := insecureAdvice(f)
	switch {
	case errors.Is(err, registry.ErrPlainHTTP), errors.Is(err, registry.ErrUndeclared):
		return fmt.Sprintf("The registry %s speaks plain HTTP. If you trust the network between here and it, %s", host, insecure)
	case errors.Is(err, registry.ErrUnknownAuthority):
		return fmt.Sprintf("If the authority that signed the certificate of %s is your own, add its certificate to this system's "+
			"(SSL_CERT_FILE names another file of them), or save it as ca.crt in a folder of certs.d, or pass it with -cacert. Or, if you trust the network between here and it, %s", host, insecure)
	case errors.Is(err, registry.ErrCertificate):
		return fmt.Sprintf("Use the name that the certificate of %s is for, or have it renewed. "+
			"Or, if you trust the network between here and it, %s", host, insecure)
	case errors.Is(err, registry.ErrClientCertificate):
		return fmt.Sprintf("Save the certificate that %s gave you as client.cert and client.key in a folder of certs.d, "+
			"or pass it with -cert FILE -key FILE.", host)
	case errors.Is(err, registry.ErrProxy):
		return access.ProxyAdvice(host)
	case errors.Is(err, registry.ErrRefused), errors.Is(err, registry.ErrTimeout), errors.Is(err, registry.ErrNotRegistry):
		return fmt.Sprintf("Is the registry running, and is %s its address and port?", host)
	case errors.Is(err, registry.ErrUnknownHost):
		return fmt.Sprintf("Is %q the name of the registry?", host)
	case errors.Is(err, registry.ErrNoCredentials):
		return fmt.Sprintf("Log in with: docker login %s\n%s", host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrCredentialsRefused):
		return fmt.Sprintf("They may have expired. Log in again with: docker login %s\n%s", host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrDenied):
		return fmt.Sprintf("Ask for the right to pull from %s, or log in as somebody who has it: docker login %s\n%s",
			repo.RepositoryStr(), host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrTooManyRequests):
		return "Wait a while and pull again, or log in: many registries allow more to those whom they know."
	}
	return ""
}

// insecureAdvice is the line that makes the registry acceptable.
func insecureAdvice(f *flags) string {
	if f.target == "" {
		return "pass -insecure-repository."
	}
	return fmt.Sprintf("add this line to container_pull(name = %q):\n    insecure_repository = True,", f.target)
}
