package pusher

import (
	"errors"
	"fmt"
	"strings"

	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/access"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/hostconfig"
	"github.com/backendcloud/rules_docker_for_insecure_registries/container/go/pkg/registry"
)

// headline says what is wrong, in words for whoever does not know the protocol, and
// then in the registry's.
func headline(t task, err error) string {
	host := t.dst.ref.Context().RegistryStr()
	said := ""
	switch {
	case errors.Is(err, registry.ErrPlainHTTP):
		return fmt.Sprintf("the registry %s speaks plain HTTP (http: server gave HTTP response to HTTPS client).", host)
	case errors.Is(err, registry.ErrUndeclared):
		return fmt.Sprintf("there are credentials for the registry %s, and it speaks plain HTTP.", host)
	case errors.Is(err, registry.ErrUnknownAuthority):
		said = fmt.Sprintf("the certificate of the registry %s is signed by an authority that is not known here", host)
	case errors.Is(err, registry.ErrCertificate):
		said = fmt.Sprintf("the certificate of the registry %s is not valid for it", host)
	case errors.Is(err, registry.ErrClientCertificate):
		said = fmt.Sprintf("the registry %s does not accept this client's certificate, or the lack of one", host)
	case errors.Is(err, registry.ErrProxy):
		said = fmt.Sprintf("the proxy that HTTPS_PROXY or HTTP_PROXY names does not let requests through to the registry %s", host)
	case errors.Is(err, registry.ErrNotRegistry):
		said = fmt.Sprintf("what answers at %s does not do so as a registry does", host)
	case errors.Is(err, registry.ErrRefused):
		said = fmt.Sprintf("nothing accepts connections at %s", host)
	case errors.Is(err, registry.ErrUnknownHost):
		said = fmt.Sprintf("there is no host called %s", host)
	case errors.Is(err, registry.ErrTimeout):
		said = fmt.Sprintf("the registry %s does not answer", host)
	case errors.Is(err, registry.ErrNoCredentials):
		said = fmt.Sprintf("the registry %s asks for credentials, and none were found for it", host)
	case errors.Is(err, registry.ErrCredentialsRefused):
		said = fmt.Sprintf("the registry %s refused the credentials that were found for it", host)
	case errors.Is(err, registry.ErrDenied):
		said = fmt.Sprintf("the registry %s does not let the user of these credentials push there", host)
	case errors.Is(err, registry.ErrNameUnknown):
		said = fmt.Sprintf("the registry %s has no such repository, and does not make one", host)
	case errors.Is(err, registry.ErrNameInvalid):
		said = fmt.Sprintf("the registry %s does not accept the repository's name", host)
	case errors.Is(err, registry.ErrTooLarge):
		said = fmt.Sprintf("the registry %s, or a proxy before it, does not take a layer of that size", host)
	case errors.Is(err, registry.ErrTooManyRequests):
		said = fmt.Sprintf("the registry %s limits the rate of requests", host)
	case errors.Is(err, registry.ErrServer):
		said = fmt.Sprintf("the registry %s failed, and failed again when the request was repeated", host)
	default:
		return err.Error()
	}
	return fmt.Sprintf("%s (%v).", said, err)
}

// advice is what the user can do, or "".
func advice(t task, err error, keychain *registry.Keychain, machine *hostconfig.Config) string {
	host := t.dst.ref.Context().RegistryStr()
	switch {
	case errors.Is(err, registry.ErrPlainHTTP), errors.Is(err, registry.ErrUndeclared):
		return insecureAdvice(t, "If you trust the network between here and it") + "\n" + access.LookedFor(host, machine)
	case errors.Is(err, registry.ErrUnknownAuthority):
		return "If its authority is your own, pass the authority's certificate with --cacert FILE, or add it to this system's,\n" +
			"or save it as ca.crt in one of the folders certs.d below.\n" +
			insecureAdvice(t, "Or, if you trust the network between here and it") + "\n" + access.LookedFor(host, machine)
	case errors.Is(err, registry.ErrCertificate):
		return "Use the name that the certificate is for, or have it renewed.\n" +
			insecureAdvice(t, "Or, if you trust the network between here and it") + "\n" + access.LookedFor(host, machine)
	case errors.Is(err, registry.ErrClientCertificate):
		return "Pass the certificate that it gave you with --cert FILE --key FILE, or save them as client.cert and client.key\n" +
			"in one of the folders certs.d below.\n" + access.LookedFor(host, machine)
	case errors.Is(err, registry.ErrProxy):
		return access.ProxyAdvice(host)
	case errors.Is(err, registry.ErrRefused), errors.Is(err, registry.ErrTimeout), errors.Is(err, registry.ErrNotRegistry):
		return fmt.Sprintf("Is the registry running, and is %s its address and port?", host)
	case errors.Is(err, registry.ErrUnknownHost):
		return fmt.Sprintf("Is %q the name of the registry? Without a registry in front, the first part of a name is taken for one if it has a dot or a port.", host)
	case errors.Is(err, registry.ErrNoCredentials):
		return fmt.Sprintf("Log in with: docker login %s\n%s", host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrCredentialsRefused):
		return fmt.Sprintf("They may have expired. Log in again with: docker login %s\n%s", host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrDenied):
		return fmt.Sprintf("Ask for the right to push to %s, or log in as somebody who has it: docker login %s\n%s",
			t.dst.ref.Context().RepositoryStr(), host, access.CredentialFiles(keychain))
	case errors.Is(err, registry.ErrNameUnknown):
		return fmt.Sprintf("Make the repository %s there first, or correct the target's repository.", t.dst.ref.Context().RepositoryStr())
	case errors.Is(err, registry.ErrNameInvalid):
		return "A reference is " + registry.Grammar
	case errors.Is(err, registry.ErrTooLarge):
		return "Have the limit raised (nginx: client_max_body_size), or make smaller layers."
	case errors.Is(err, registry.ErrTooManyRequests):
		return "Wait a while and push again; what was sent already is not sent twice."
	case errors.Is(err, registry.ErrServer):
		return "Its log has the reason. What was sent already is not sent twice when you push again."
	}
	return ""
}

// insecureAdvice shows the line that makes a target's registry acceptable.
func insecureAdvice(t task, condition string) string {
	p := t.plan
	if p.Target == "" {
		return condition + ", pass --insecure-repository"
	}
	rule := p.Rule
	if rule == "" {
		rule = "container_push"
	}
	_, name, ok := strings.Cut(p.Target, ":")
	if !ok {
		name = p.Target[strings.LastIndexByte(p.Target, '/')+1:]
	}
	where := ""
	if p.BuildFile != "" {
		where = " in " + p.BuildFile
		if repository, _, _ := strings.Cut(p.Target, "//"); repository != "" {
			where += " of " + repository
		}
	}
	return fmt.Sprintf("%s, add this line to %s(name = %q)%s:\n    insecure_repository = True,\n"+
		"or pass it once: bazel run %s -- --insecure-repository", condition, rule, name, where, p.Target)
}
