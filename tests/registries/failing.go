package registries

import "net/http"

// Failing starts a registry that answers every request with the given status and
// the error document of the OCI distribution specification ("Error Codes").
func Failing(status int) (*Server, error) {
	return serve(host, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write([]byte(`{"errors":[{"code":"UNKNOWN","message":"the disk of this registry is broken"}]}`)) //nolint:errcheck // the client sees a short body
	}), nil)
}
