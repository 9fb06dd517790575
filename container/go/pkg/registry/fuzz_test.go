package registry

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzChallenge reads challenges that may say anything. Whatever a registry names as
// its realm, credentials do not follow to a server that it has not named.
func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="https://auth.example/token",service="x"`, "https://thief.example/token")
	f.Add(`Bearer realm="https://10.0.0.1:5001/token"`, "http://10.0.0.1:5001/token")
	f.Add(`Basic realm="a name"`, "https://registry.example/v2/")
	f.Add(`Bearer realm="//auth.example"`, "https://auth.example")
	f.Add(`Bearer realm="https://auth.example:443@thief.example/"`, "https://thief.example/")
	f.Fuzz(func(t *testing.T, challenge, address string) {
		asked, err := url.Parse(address)
		if err != nil || asked.Host == "" || strings.Contains(challenge, "%") {
			return // a host can be written in too many ways then
		}
		for _, mode := range []Mode{VerifiedHTTPS, UnverifiedHTTPS, PlainHTTP} {
			g := newGuard(New(Options{}), Decision{Host: "registry.example", Mode: mode}, nil)
			g.learnRealms(&http.Response{Header: http.Header{"Www-Authenticate": {challenge}}})
			if !g.isRealm(asked) {
				continue
			}
			// Only a quoted realm with that very host can have made it one.
			if !strings.Contains(strings.ToLower(challenge), strings.ToLower(asked.Hostname())) {
				t.Errorf("%q is a realm by %q", address, challenge)
			}
		}
	})
}
