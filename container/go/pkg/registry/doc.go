// Package registry decides how each registry host is spoken to and with whose
// credentials. It hands out go-containerregistry transports that keep to that
// decision: the OCI distribution-spec requests themselves are made elsewhere.
package registry
