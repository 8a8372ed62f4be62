package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

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

// Gate is the authentication of one hook. It never changes and may be used from
// several goroutines.
type Gate struct {
	config Config
	parts  []part // the early ones first
}

// part is one check of a Gate.
type part struct {
	check
	secret bool // it asks for the hook's secret
}

// NewGate makes the Gate of a hook. The errors are *ConfigError. A hook whose
// sender is named and that leaves nothing to check is an error; whether it says
// auth: none is the caller's to know, who then needs no Gate.
func NewGate(c Config) (*Gate, []error) {
	a := assembly{config: c}
	a.assemble()
	if len(a.errs) > 0 {
		return nil, a.errs
	}
	return &Gate{config: c, parts: a.sorted()}, nil
}

// Early makes the checks that need no body: addresses, headers, path, query,
// certificates. The error is a *RefusedError. Keys that could not be had are
// none here: Verify meets them again.
func (g *Gate) Early(r *Request) error {
	local, err := g.unset(r)
	if err != nil {
		return err
	}
	for _, p := range g.parts {
		if local && p.secret {
			continue
		}
		switch {
		case p.early():
			_, err = p.verify(context.Background(), r)
		default:
			err = nil
			if b, ok := p.check.(beforehand); ok {
				err = b.before(r)
			}
		}
		if err == nil {
			continue
		}
		if refusal := (*RefusedError)(nil); errors.As(err, &refusal) {
			return g.unknown(refusal)
		}
	}
	return nil
}

// unknown has a refusal answered as that of an unknown hook where a secret stands
// behind the hook's path, whatever else it is for: another answer would tell who
// guesses at the secret that this is it.
func (g *Gate) unknown(err error) error {
	if refusal := (*RefusedError)(nil); g.UsesPath() && errors.As(err, &refusal) && !refusal.Path {
		hidden := *refusal
		hidden.Path = true
		return &hidden
	}
	return err
}

// beforehand is a check that needs the body, but can refuse some requests
// without it.
type beforehand interface{ before(r *Request) error }

// Verify makes all checks. It says in words what passed; the error is a
// *RefusedError, or says that keys could not be had (a 503 is answered then).
func (g *Gate) Verify(ctx context.Context, r *Request) (verified string, err error) {
	local, err := g.unset(r)
	if err != nil {
		return "", err
	}
	if local {
		verified = "from this machine; the secret is not set"
	}
	for _, p := range g.parts {
		if local && p.secret {
			continue
		}
		words, err := p.verify(ctx, r)
		if err != nil {
			return "", g.unknown(err)
		}
		if verified != "" {
			words = verified + "; " + words
		}
		verified = words
	}
	return verified, nil
}

// unset reports whether the checks that ask for the secret are left out: none is
// set, the hook allows callers on this machine until one is, and the request is
// from such a one. The error refuses all others while none is set.
func (g *Gate) unset(r *Request) (bool, error) {
	if g.config.Secret == nil || len(g.config.Secret.Values()) > 0 {
		return false, nil
	}
	reason := g.Unset() + ", so nobody may call"
	if g.config.Secret.UnsetLoopback {
		here, why := fromHere(r)
		if here {
			return true, nil
		}
		reason = g.Unset() + ", so only this machine may call, and " + why
	}
	return false, &RefusedError{Check: "secret", Reason: reason, Path: g.UsesPath()}
}

// Unset says, where the hook asks for a secret and none is set, what has to be set:
// "the hook's secret is not set (variable PAWL_QUAY_SECRET)"; "" where one is.
func (g *Gate) Unset() string {
	if g.config.Secret == nil || len(g.config.Secret.Values()) > 0 {
		return ""
	}
	var names []string
	for _, source := range g.config.Secret.Sources() {
		names = append(names, source.String())
	}
	return "the hook's secret is not set (" + strings.Join(names, ", ") + ")"
}

// UnsetLoopback reports whether callers on this machine pass as long as the secret
// is not set.
func (g *Gate) UnsetLoopback() bool {
	return g.config.Secret != nil && g.config.Secret.UnsetLoopback
}

// UsesPath reports whether a secret stands behind the hook's path.
func (g *Gate) UsesPath() bool { return g.config.Auth != nil && g.config.Auth.Path }

// UsesCertificate reports whether clients must show a certificate.
func (g *Gate) UsesCertificate() bool {
	return g.config.Auth != nil && g.config.Auth.Certificate != nil
}

// Credential reports whether the value of a header or query parameter lets its
// bearer in, so that it must not be kept.
func (g *Gate) Credential(source delivery.Source, name string) bool {
	for _, p := range g.parts {
		if p.credential(source, name) {
			return true
		}
	}
	return false
}

// Sign makes a request that passes; one from this machine, where the secret is not
// set and such pass. The error says why only the sender can, or what is not set.
func (g *Gate) Sign(o *Outgoing) error {
	if o.Header == nil {
		o.Header = http.Header{}
	}
	unset := g.Unset()
	for _, p := range g.parts {
		if p.secret && unset != "" {
			if g.UnsetLoopback() {
				continue // the server lets this machine in, or has the secret and says so
			}
			return fmt.Errorf("%s: it is read here too, so set it here as for the server", unset)
		}
		if err := p.sign(o); err != nil {
			return err
		}
	}
	return nil
}

// Hints names the usual mistakes that a refused request shows signs of: another
// algorithm, a secret with a line end, a form. It makes the checks again in many
// ways, so it is for explanations.
func (g *Gate) Hints(r *Request) []string {
	if g.config.Secret != nil && len(g.config.Secret.Values()) == 0 {
		return nil // the reason says it all
	}
	var hints []string
	for _, p := range g.parts {
		hints = append(hints, p.hints(r)...)
	}
	return hints
}

// Words says what is checked, for people, a part each.
func (g *Gate) Words() []string {
	words := make([]string, len(g.parts))
	for i, p := range g.parts {
		words[i] = strings.TrimSpace(p.String())
	}
	return words
}
