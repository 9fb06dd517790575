package registries_test

import (
	"strings"
	"testing"
	"time"

	"github.com/backendcloud/rules_docker_for_insecure_registries/tests/registries"
)

// guards are the registries that can ask who their clients are.
func guards() []kind {
	var all []kind
	for _, k := range kinds() {
		if k.auth {
			all = append(all, k)
		}
	}
	return all
}

// secret fails the test if a password is printed, in whatever coat.
func (r result) secret(t *testing.T, passwords ...string) {
	t.Helper()
	for _, password := range passwords {
		if strings.Contains(r.output, password) {
			t.Errorf("the password is printed:\n%s", r.output)
		}
	}
}

func TestPassword(t *testing.T) {
	const wrong = "let me in: 3"
	for _, k := range guards() {
		for _, tr := range transports() {
			if tr.mutual {
				continue // see TestClientCertificate
			}
			t.Run(k.name+"/"+tr.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, tr.setUp).start(t, k, registries.Protected())
				it := item{image: newImage(t, "Docker", newLayer(t, 1, 64*kib)), repository: "private/app", tag: "v1"}

				s.push(t, it).want(t, 1, "ERROR: //app:push0: cannot push to ", " asks for credentials, and none were found for it")
				s.login(t, wrong)
				r := s.push(t, it)
				r.want(t, 1, " refused the credentials that were found for it")
				r.secret(t, wrong)

				s.login(t, registries.Password)
				s.absent(t, it)
				r = s.push(t, it)
				r.want(t, 0, "Successfully pushed Docker image to ")
				r.secret(t, registries.Password)
				if warned := strings.Contains(r.output, "credentials travel unencrypted"); warned != s.plain {
					t.Errorf("warning of plain HTTP: %v\n%s", warned, r.output)
				}
				s.arrived(t, it)
			})
		}
	}
}

// TestClientCertificate pushes without the certificate that the registry asks for.
func TestClientCertificate(t *testing.T) {
	for _, k := range kinds() {
		if !k.mutual {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, clientCertificate)
			delete(s.certs, "client.cert")
			delete(s.certs, "client.key")
			s.start(t, k)
			it := item{image: newImage(t, "OCI", newLayer(t, 1, kib)), repository: "a", tag: "v1"}
			r := s.push(t, it)
			r.want(t, 1, "ERROR: //app:push0: cannot push to ")
			if !strings.Contains(r.output, " does not accept this client's certificate, or the lack of one") {
				t.Errorf("it does not say why:\n%s", r.output)
			}
		})
	}
}

func TestToken(t *testing.T) {
	for _, k := range guards() {
		for _, tc := range []struct {
			name  string
			setUp func(*testing.T, *site)
			rules registries.TokenRules
			// before are the beginnings of requests that wait until the first token has ended
			before []string
			given  int // tokens
		}{
			{name: "one for all", setUp: plainHTTP, given: 1},
			{name: "one for each", setUp: plainHTTP, rules: registries.TokenRules{Scopes: 1}, given: 3},
			{name: "ends before an upload", setUp: plainHTTP, given: 2,
				rules: registries.TokenRules{FirstEnds: 3 * time.Second}, before: []string{"PUT /v2/a/blobs/"}},
			{name: "ends before a manifest", setUp: plainHTTP, given: 2,
				rules: registries.TokenRules{FirstEnds: 3 * time.Second}, before: []string{"PUT /v2/a/manifests/"}},
			{name: "self-signed", setUp: selfSigned, given: 1},
			{name: "private CA", setUp: privateCA, given: 1},
			{name: "realm elsewhere", setUp: privateCA, rules: registries.TokenRules{Elsewhere: true}, given: 1},
		} {
			t.Run(k.name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, tc.setUp)
				tokens := s.tokens(t, tc.rules)
				s.start(t, k, registries.Tokens(tokens))
				s.login(t, registries.Password)
				for _, prefix := range tc.before {
					s.wire.Before(prefix, func() error { tokens.FirstEnded(); return nil })
				}
				shared := newLayer(t, 1, 2*mib)
				items := []item{
					{image: newImage(t, "OCI", shared, newLayer(t, 2, 64*kib)), repository: "a", tag: "v1"},
					{image: newImage(t, "OCI", shared, newLayer(t, 3, 64*kib)), repository: "b", tag: "v1"},
					{image: newImage(t, "OCI", newLayer(t, 4, 64*kib), shared), repository: "c/d", tag: "v1"},
				}
				r := s.push(t, items...)
				r.want(t, 0)
				r.secret(t, registries.Password)
				given := tokens.Given()
				if tc.rules.FirstEnds == 0 && len(given) != tc.given || len(given) < tc.given {
					t.Errorf("%d tokens were given, want %d: %q", len(given), tc.given, given)
				}
				if refused := tokens.Refused() > 0; refused != (tc.rules.Scopes > 0) {
					t.Errorf("many scopes were refused: %v", refused)
				}
				s.arrived(t, items...)

				// Where one token is for one repository, nothing is mounted from the base's.
				based := item{image: newImage(t, "OCI", shared), repository: "based", tag: "v1", base: "a"}
				s.push(t, based).want(t, 0)
				s.arrived(t, based)
			})
		}
	}
}

// tokens starts a token server that speaks as the site's registry does.
func (s *site) tokens(t *testing.T, rules registries.TokenRules) *registries.TokenServer {
	t.Helper()
	rules.TLS = s.tls
	s.noCrane = true // it refuses token servers at addresses like the tests'
	server, err := registries.NewTokenServer(rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() }) //nolint:errcheck // it has nothing to lose
	return server
}

func TestTokenRefused(t *testing.T) {
	for _, k := range guards() {
		for _, tc := range []struct {
			name        string
			rules       registries.TokenRules
			password    string // "" for no login
			want        string
			credentials bool // the token server may see them
		}{
			{name: "wrong password", password: "guess", want: " refused the credentials that were found for it", credentials: true},
			{name: "no login", want: " asks for credentials, and none were found for it"},
			// An address of another host, over plain HTTP, gets no password.
			{name: "realm elsewhere", rules: registries.TokenRules{Elsewhere: true}, password: registries.Password, want: "127.0.0.3"},
		} {
			t.Run(k.name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, plainHTTP)
				tokens := s.tokens(t, tc.rules)
				s.start(t, k, registries.Tokens(tokens))
				if tc.password != "" {
					s.login(t, tc.password)
				}
				r := s.push(t, item{image: newImage(t, "OCI", newLayer(t, 1, kib)), repository: "a", tag: "v1"})
				r.want(t, 1, "ERROR: //app:push0: cannot push to ", tc.want)
				if tc.password != "" {
					r.secret(t, tc.password)
				}
				if saw := tokens.Credentials() > 0; saw != tc.credentials {
					t.Errorf("credentials were sent to the token server: %v", saw)
				}
			})
		}
	}
}
