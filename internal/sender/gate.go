package sender

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// Auth is what a hook says in auth. All parts that are set must pass.
type Auth struct {
	Path        bool // the secret is what follows the hook's path in the URL
	Header      *Parameter
	Query       *Parameter
	Basic       *Basic
	Bearer      bool
	HMAC        *HMAC
	Ed25519     *Ed25519
	OIDC        *OIDC
	SNS         *SNS
	Certificate *ClientCertificate
	Addresses   []netip.Prefix
}

// Parameter names a header or a query parameter whose value is the secret.
type Parameter struct{ Name string }

// Basic is HTTP's Basic authentication, whose password is the secret.
type Basic struct{ User string }

// HMAC says what is signed and where the signature stands. What is zero is as
// the preset has it; the generic sender has SHA-256, hexadecimal, "{body}".
type HMAC struct {
	Header          string
	Algorithms      []string // sha1, sha256, sha512; any of them
	Encoding        string   // hex, base64, base64url
	Prefix          string   // case counts
	Signed          string   // a template of {body}, {timestamp}, {id}
	TimestampHeader string
	TimestampUnit   string // s, ms
	Tolerance       time.Duration
}

// Ed25519 names the keys of Standard Webhooks' v1a signatures (whpk_…).
type Ed25519 struct{ PublicKeys []string }

// OIDC says which tokens count.
type OIDC struct {
	Issuer, Audience, Email string
	KeysFile                string // a JWKS; empty: fetched from the issuer
}

// SNS says which topics count.
type SNS struct {
	Topics           []string // ARNs
	CertificatesFile string   // PEM; empty: fetched from Amazon
}

// ClientCertificate says whose TLS certificates count.
type ClientCertificate struct {
	CAFile string   // PEM
	Names  []string // DNS names, one of which the certificate must have; none: any that the CA issued
}

// Config is what a Gate is made of.
type Config struct {
	Sender *Sender     // never nil: generic where the hook names none
	Secret *secret.Set // nil: none
	Auth   *Auth       // nil: the sender's own way

	// DeliveryID is the hook's delivery-id, which {id} in a signed template
	// means; nil where it has none.
	DeliveryID *delivery.Ref

	// Client is what fetches; nil: one that is made for the purpose.
	Client *http.Client
}

// ConfigError says which key of a hook keeps its Gate from being made.
type ConfigError struct {
	Key  string // "auth.hmac.header", "secret"
	Text string // what is wrong and what to write
}

func (e *ConfigError) Error() string { return e.Key + ": " + e.Text }

// Request is what a Gate sees of one HTTP request.
type Request struct {
	*run.Delivery

	// Rest is what follows the hook's path in the URL, without the slash between
	// them; "" where nothing does.
	Rest string

	// Certificates is what the client showed, its own first; it has proven that
	// it holds the key.
	Certificates []*x509.Certificate
}

// RefusedError says why a delivery is not authentic, for the log and for
// explanations; the caller is told nothing of it. It never holds a secret.
type RefusedError struct {
	Check  string // "path", "basic", "hmac"…
	Reason string

	// Path says that the secret behind the hook's path is wrong or missing: the
	// answer is that of an unknown hook.
	Path bool
}

func (e *RefusedError) Error() string { return e.Reason }

// own is what a preset makes its own check of.
type own struct {
	secret     *secret.Set
	hmac       *HMAC // nil: the hook gives none of its keys
	deliveryID *delivery.Ref
	client     *http.Client
}

// check is one thing that must pass.
type check interface {
	// early reports whether the check can be made without the body.
	early() bool

	// verify returns a *RefusedError where it does not pass, and says in words
	// what passed where it does: "hmac-sha256 signature, secret 1 of 2".
	verify(ctx context.Context, r *Request) (string, error)

	// credential reports whether the value of that header or query parameter
	// lets its bearer in.
	credential(source delivery.Source, name string) bool

	// sign makes a request that passes; an error where only the sender can.
	sign(o *Outgoing) error

	// hints names usual mistakes that a refused request shows signs of.
	hints(r *Request) []string

	// String says it for people: "a secret behind the hook's path".
	String() string
}

// Outgoing is a request that is to be signed: what pawl send makes.
type Outgoing struct {
	URL    string // of the hook; sign may add to it
	Header http.Header
	Body   []byte
	ID     string
	Time   time.Time
}

// Gate is the authentication of one hook. It never changes and may be used from
// several goroutines.
type Gate struct {
	config Config
	checks []check // the early ones first
}

// NewGate makes the Gate of a hook. The errors are *ConfigError. A hook whose
// sender is named and that leaves nothing to check is an error; whether it says
// auth: none is the caller's to know, who then needs no Gate.
func NewGate(c Config) (*Gate, []error) {
	return &Gate{config: c}, nil
}

// Early makes the checks that need no body: addresses, headers, path, query,
// certificates. The error is a *RefusedError.
func (g *Gate) Early(r *Request) error { return nil }

// Verify makes all checks. It says in words what passed; the error is a
// *RefusedError, or says that keys could not be had (a 503 is answered then).
func (g *Gate) Verify(ctx context.Context, r *Request) (verified string, err error) {
	return "", nil
}

// UsesPath reports whether a secret stands behind the hook's path.
func (g *Gate) UsesPath() bool { return g.config.Auth != nil && g.config.Auth.Path }

// UsesCertificate reports whether clients must show a certificate.
func (g *Gate) UsesCertificate() bool {
	return g.config.Auth != nil && g.config.Auth.Certificate != nil
}

// Credential reports whether the value of a header or query parameter lets its
// bearer in, so that it must not be kept.
func (g *Gate) Credential(source delivery.Source, name string) bool { return false }

// Sign makes a request that passes. The error says why only the sender can.
func (g *Gate) Sign(o *Outgoing) error { return nil }

// Hints names the usual mistakes that a refused request shows signs of: another
// algorithm, a secret with a line end, a form. It makes the checks again in many
// ways, so it is for explanations.
func (g *Gate) Hints(r *Request) []string { return nil }

// Words says what is checked, for people, a part each.
func (g *Gate) Words() []string { return nil }
