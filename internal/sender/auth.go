package sender

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
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
	CAFile string   // PEM; read when the hook is loaded
	Names  []string // DNS names, one of which the certificate must have; none: any that the CA issued
}

// Request is what a Gate sees of one HTTP request.
type Request struct {
	*run.Delivery

	// Rest is what follows the hook's path in the URL, without the slash between
	// them; "" where nothing does.
	Rest string

	// Certificates is what the client showed, its own first; it has proven that
	// it holds the key.
	Certificates []*x509.Certificate

	// Proxied says that the peer is a proxy by configuration: whoever it names, or
	// does not name, the request was not made on this machine.
	Proxied bool
}

// RefusedError says why a delivery is not authentic, for the log and for
// explanations; the caller is told nothing of it. It never holds a secret.
type RefusedError struct {
	Check  string // "path", "basic", "hmac"…
	Reason string

	// Path says that the answer is that of an unknown hook: the secret behind the
	// hook's path is wrong or missing, or what else the hook asks for is.
	Path bool

	// Withheld says that what the check looks at lets its bearer in, so that a
	// stored delivery does not carry it and cannot be asked again.
	Withheld bool
}

func (e *RefusedError) Error() string { return e.Reason }

// own is what a preset makes its own check of.
type own struct {
	secret     *secret.Set // never nil
	hmac       *HMAC       // nil: the hook gives none of its keys
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

// first is the first value of a header of that canonical name, and whether the
// request has any. A credential that is given twice counts as it came first.
func first(h http.Header, name string) (string, bool) {
	if values := h[name]; len(values) > 0 {
		return values[0], true
	}
	return "", false
}

// firstQuery is the first value of a query parameter, and whether the query has
// any; it reads the query as net/url does, and keeps nothing else of it.
func firstQuery(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if strings.Contains(pair, ";") {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			continue
		}
		if value, err := url.QueryUnescape(value); err == nil {
			return value, true
		}
	}
	return "", false
}
