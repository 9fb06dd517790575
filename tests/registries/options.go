package registries

// Option changes how a registry is set up.
type Option func(*options)

type options struct {
	addr      string // "" for a free port
	program   string // "" for the one on PATH
	protected bool
	tls       *KeyPair
	clientCA  string // path, PEM
	tokens    *TokenServer
	upstream  string // HOST:PORT of the registry that is mirrored, "" for none
}

func collect(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// At makes the registry listen at HOST:PORT: where it was, after a restart.
func At(addr string) Option { return func(o *options) { o.addr = addr } }

// Program names the program to start.
func Program(path string) Option { return func(o *options) { o.program = path } }

// Protected makes the registry ask for User and Password (HTTP basic auth).
func Protected() Option { return func(o *options) { o.protected = true } }

// TLS makes the registry speak HTTPS with a certificate.
func TLS(pair KeyPair) Option { return func(o *options) { o.tls = &pair } }

// ClientCA makes a registry with TLS refuse clients without a certificate that an
// authority has issued, whose own certificate is in the PEM file at path.
func ClientCA(path string) Option { return func(o *options) { o.clientCA = path } }

// Tokens makes the registry send its clients to a token server.
func Tokens(server *TokenServer) Option { return func(o *options) { o.tokens = server } }

// Mirrors makes a distribution registry a pull-through mirror of the registry at addr
// (HOST:PORT, plain HTTP): it has what that one has, fetches it when it is asked, and
// takes no pushes.
func Mirrors(addr string) Option { return func(o *options) { o.upstream = addr } }
