package registry

import (
	"context"
	"encoding/base64"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
)

// secrets remembers every secret that was sent or may be sent, so that none of them
// is printed: a registry may well echo a header in the text of an error.
type secrets struct {
	mu     sync.Mutex
	values map[string]bool
}

func (s *secrets) add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]bool{}
	}
	for _, v := range values {
		if v != "" {
			s.values[v] = true
		}
	}
}

// addHeader adds what an Authorization header holds (RFC 9110 section 11.4).
func (s *secrets) addHeader(value string) {
	scheme, credentials, _ := strings.Cut(value, " ")
	s.add(credentials)
	if !strings.EqualFold(scheme, "Basic") {
		return
	}
	if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		s.add(string(plain), password)
	}
}

func (s *secrets) addAuth(ctx context.Context, auth authn.Authenticator) error {
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return err
	}
	s.add(config.Password, config.IdentityToken, config.RegistryToken)
	if config.Auth != "" {
		s.addHeader("Basic " + config.Auth)
	}
	if config.Password != "" {
		pair := config.Username + ":" + config.Password
		s.add(pair, base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return nil
}

// Queries of upload and storage URLs are credentials of their own kind. Fields of JSON are
// what a token server or a credential helper said before it failed.
var (
	fieldPattern    = regexp.MustCompile(`(?i)("(?:(?:access_|refresh_|identity_?)?token|secret|password)"\s*:\s*)"[^"]*"`)
	queryPattern    = regexp.MustCompile(`(https?://[^\s"?]+)\?[^\s"]*`)
	userinfoPattern = regexp.MustCompile(`(https?://)[^/@\s"]+@`)
)

// redact takes every known secret and the secret parts of URLs out of text.
func (s *secrets) redact(text string) string {
	s.mu.Lock()
	values := make([]string, 0, len(s.values))
	for v := range s.values {
		values = append(values, v)
	}
	s.mu.Unlock()
	// Longest first: one may be part of another.
	sort.Slice(values, func(i, j int) bool {
		return len(values[i]) > len(values[j]) || len(values[i]) == len(values[j]) && values[i] < values[j]
	})
	for _, v := range values {
		text = withoutSecret(text, v)
	}
	return withoutSecrets(text)
}

// withoutSecret takes a secret out of text. One that is short may be a part of many words,
// and to take it out of those would make a riddle of the text, and tell what it is.
func withoutSecret(text, secret string) string {
	const short, redacted = 8, "[redacted]" // bytes
	if len(secret) >= short {
		return strings.ReplaceAll(text, secret, redacted)
	}
	var kept strings.Builder
	done := 0
	for {
		i := strings.Index(text[done:], secret)
		if i < 0 {
			return kept.String() + text[done:]
		}
		begin := done + i
		end := begin + len(secret)
		kept.WriteString(text[done:begin])
		if begin > 0 && isAlphanumeric(text[begin-1]) || end < len(text) && isAlphanumeric(text[end]) {
			kept.WriteString(secret) // it is within a word
		} else {
			kept.WriteString(redacted)
		}
		done = end
	}
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// withoutSecrets takes out of text what is a secret by its form.
func withoutSecrets(text string) string {
	text = fieldPattern.ReplaceAllString(text, `$1"[redacted]"`)
	text = userinfoPattern.ReplaceAllString(text, "$1")
	return queryPattern.ReplaceAllString(text, "$1?...")
}
