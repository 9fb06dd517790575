package registries

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What a TokenServer and its registry know each other by.
const (
	tokenService = "registry of the tests"
	tokenIssuer  = "token server of the tests"
)

// registryLeeway is for how long distribution goes on taking a token that has ended.
const registryLeeway = 60 * time.Second

// TokenRules are what a TokenServer does. The zero value gives whoever knows User
// and Password a token for all that is asked for, good for an hour.
type TokenRules struct {
	// Elsewhere makes it listen on another address than the registry's.
	Elsewhere bool
	// TLS is the certificate of its HTTPS; plain HTTP without one.
	TLS *KeyPair
	// Scopes is for how many scopes at most a token is given (0: any number). It
	// refuses requests for more.
	Scopes int
	// FirstEnds, if not 0, is how long the registry will take the first token that it
	// gives. It is rounded down to a second.
	FirstEnds time.Duration
}

// TokenServer gives tokens for registries, as distribution's specification "Docker
// Registry v2 authentication via central service" has it.
type TokenServer struct {
	*Server
	rules TokenRules
	tls   bool
	key   issued

	mu      sync.Mutex
	scopes  [][]string // of each token given
	ended   time.Time  // when the first token will have ended
	refused int
	known   int // requests that came with an Authorization header
}

// NewTokenServer starts a token server.
func NewTokenServer(rules TokenRules) (*TokenServer, error) {
	key, err := issue(serverTemplate(), nil)
	if err != nil {
		return nil, err
	}
	t := &TokenServer{rules: rules, key: key, tls: rules.TLS != nil}
	config, err := serverTLS(options{tls: rules.TLS})
	if err != nil {
		return nil, err
	}
	ip := host
	if rules.Elsewhere {
		ip = elsewhere
	}
	t.Server, err = serve(ip, http.HandlerFunc(t.answer), config)
	return t, err
}

// Realm is the address that a registry sends its clients to.
func (t *TokenServer) Realm() string {
	scheme := "http"
	if t.tls {
		scheme = "https"
	}
	return scheme + "://" + t.Addr() + "/token"
}

// Given returns the scopes of every token that was given, in their order.
func (t *TokenServer) Given() [][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([][]string(nil), t.scopes...)
}

// Refused returns how many requests were for more scopes than one token is for.
func (t *TokenServer) Refused() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

// Credentials returns how many requests came with credentials, right or wrong.
func (t *TokenServer) Credentials() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

// FirstEnded returns once the first token has ended. There must have been one.
func (t *TokenServer) FirstEnded() {
	t.mu.Lock()
	ended := t.ended
	t.mu.Unlock()
	time.Sleep(time.Until(ended))
}

// bundle is the certificate that the registry has to trust for tokens, in PEM.
func (t *TokenServer) bundle() []byte { return t.key.pem() }

func (t *TokenServer) answer(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	user, password, ok := r.BasicAuth()
	if r.Header.Get("Authorization") != "" {
		t.known++
	}
	if !ok || user != User || password != Password {
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}`, http.StatusUnauthorized)
		return
	}
	var scopes []string
	for _, value := range r.URL.Query()["scope"] {
		scopes = append(scopes, strings.Fields(value)...)
	}
	if t.rules.Scopes > 0 && len(scopes) > t.rules.Scopes {
		t.refused++
		http.Error(w, `{"errors":[{"code":"DENIED","message":"too many scopes"}]}`, http.StatusBadRequest)
		return
	}
	expires := time.Now().Add(time.Hour)
	if len(t.scopes) == 0 && t.rules.FirstEnds > 0 {
		expires = time.Now().Add(t.rules.FirstEnds - registryLeeway).Truncate(time.Second)
		t.ended = expires.Add(registryLeeway + time.Millisecond)
	}
	token, err := t.sign(scopes, expires)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	t.scopes = append(t.scopes, scopes)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"token": token}) //nolint:errcheck // the client sees a short body
}

// sign makes a JSON Web Token (RFC 7519) with ES256 (RFC 7518, 3.4) and the
// certificate of its key beside it (RFC 7515, 4.1.6).
func (t *TokenServer) sign(scopes []string, expires time.Time) (string, error) {
	access := []map[string]any{}
	for _, scope := range scopes {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndexByte(rest, ':')
		if colon < 0 {
			return "", fmt.Errorf("scope %q is not TYPE:NAME:ACTIONS", scope)
		}
		access = append(access, map[string]any{
			"type": kind, "name": rest[:colon], "actions": strings.Split(rest[colon+1:], ","),
		})
	}
	head, err := part(map[string]any{
		"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(t.key.der)},
	})
	if err != nil {
		return "", err
	}
	begin := time.Now().Add(-10 * time.Minute).Unix()
	claims, err := part(map[string]any{
		"iss": tokenIssuer, "aud": tokenService, "sub": User, "access": access, "jti": rand.Text(),
		"iat": begin, "nbf": begin, "exp": expires.Unix(),
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(head + "." + claims))
	r, s, err := ecdsa.Sign(rand.Reader, t.key.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return head + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func part(value any) (string, error) {
	data, err := json.Marshal(value)
	return base64.RawURLEncoding.EncodeToString(data), err
}
