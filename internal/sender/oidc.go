package sender

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"

	"github.com/pawlhq/pawl/internal/delivery"
)

const (
	googleIssuer = "https://accounts.google.com"
	googleKeys   = "https://www.googleapis.com/oauth2/v3/certs"

	// maxToken bounds a token; Google's have 1.2 KB.
	maxToken = 16 << 10
)

// oidcCheck wants Authorization: Bearer and an OpenID Connect token that the
// issuer made for this hook and for one account. The token does not cover the
// body, and may be used again until it expires.
// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
type oidcCheck struct {
	config OIDC
	keys   oidcKeys
}

// newOIDC makes the check of auth.oidc. client fetches keys, unless a file has
// them; nil: one is made.
func newOIDC(config *OIDC, client *http.Client) (check, error) {
	c := oidcCheck{config: *config}
	if c.config.Issuer == "" {
		c.config.Issuer = googleIssuer
	}
	issuer, err := url.Parse(c.config.Issuer)
	if err != nil || plainHTTPS(issuer) != nil || issuer.RawQuery != "" || issuer.Host == "" {
		return nil, &ConfigError{"auth.oidc.issuer", fmt.Sprintf("%q is no issuer: write its https URL as its tokens have it, as https://accounts.google.com", config.Issuer)}
	}
	if config.Audience == "" {
		return nil, &ConfigError{"auth.oidc.audience", "say for whom the tokens are made; with Pub/Sub it is the push endpoint's URL, unless the subscription names another"}
	}
	if config.Email == "" {
		return nil, &ConfigError{"auth.oidc.email", "name the service account that calls: without it anyone with an account at the issuer could"}
	}
	switch {
	case config.KeysFile != "":
		c.keys, err = newKeyFile(config.KeysFile)
		if err != nil {
			return nil, &ConfigError{"auth.oidc.keys.file", err.Error()}
		}
	case c.config.Issuer == googleIssuer:
		c.keys = newRemoteKeys(client, issuer, googleKeys)
	default:
		c.keys = newRemoteKeys(client, issuer, "")
	}
	return c, nil
}

func (oidcCheck) early() bool { return true }

func (c oidcCheck) verify(ctx context.Context, r *Request) (string, error) {
	given, ok := first(r.Header, authorization)
	if !ok {
		return "", withheld("oidc", "there is no header Authorization")
	}
	token, ok := scheme(given, "Bearer")
	if !ok {
		return "", withheld("oidc", "the header Authorization is not of scheme Bearer")
	}
	if len(token) > maxToken {
		return "", withheld("oidc", "the token is too long")
	}
	set := &keySet{keys: c.keys}
	verifier := oidc.NewVerifier(c.config.Issuer, set, &oidc.Config{
		ClientID:             c.config.Audience,
		SupportedSigningAlgs: []string{oidc.RS256},
		// Compared below: go-oidc lets Google's issuer come without https too.
		SkipIssuerCheck: true,
		Now:             func() time.Time { return r.Received },
	})
	found, err := verifier.Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case set.unavailable != nil:
		return "", fmt.Errorf("the keys of %s cannot be had: %w", c.config.Issuer, set.unavailable)
	case errors.As(err, &expired):
		return "", withheld("oidc", "the token expired at "+expired.Expiry.UTC().Format(time.RFC3339))
	case set.reason != "":
		return "", withheld("oidc", set.reason)
	case err != nil:
		return "", withheld("oidc", strings.TrimPrefix(bounded(err.Error()), "oidc: "))
	}
	return c.claims(found)
}

// claims checks who made the token, and for whom.
func (c oidcCheck) claims(token *oidc.IDToken) (string, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	var names map[string]json.RawMessage
	err := errors.Join(token.Claims(&claims), token.Claims(&names))
	switch {
	case err != nil:
		return "", withheld("oidc", "the token's claims cannot be read")
	case respelt(names):
		return "", withheld("oidc", "the token has a claim whose name differs from one that is asked in its case alone")
	case token.Issuer != c.config.Issuer:
		return "", withheld("oidc", fmt.Sprintf("the token is of another issuer, %.100q", token.Issuer))
	case claims.Email != c.config.Email:
		return "", withheld("oidc", fmt.Sprintf("the token is of another account, %.100q", claims.Email))
	case !claims.Verified:
		return "", withheld("oidc", "the token does not say that its e-mail address is verified")
	}
	return "OpenID token of " + claims.Email, nil
}

// respelt reports whether a name is one of the claims that are asked, in other
// letters: to Go's JSON both are one field, to who made the token they are not.
func respelt(names map[string]json.RawMessage) bool {
	for name := range names {
		for _, asked := range [...]string{"iss", "aud", "exp", "nbf", "email", "email_verified"} {
			if name != asked && strings.EqualFold(name, asked) {
				return true
			}
		}
	}
	return false
}

func (oidcCheck) credential(source delivery.Source, name string) bool {
	return source == delivery.Header && http.CanonicalHeaderKey(name) == authorization
}

func (c oidcCheck) sign(*Outgoing) error {
	return fmt.Errorf("only %s can make a token; try the hook with pawl explain", c.config.Issuer)
}

func (c oidcCheck) hints(r *Request) []string {
	given, _ := first(r.Header, authorization)
	if token, ok := scheme(given, "Bearer"); ok && strings.Count(token, ".") != 2 {
		return []string{"the Bearer token is no OpenID token (a JWT has three parts); is the subscription's authentication switched on?"}
	}
	return nil
}

func (c oidcCheck) String() string {
	return fmt.Sprintf("an OpenID token of %s for %s, made by %s", c.config.Email, c.config.Audience, c.config.Issuer)
}

// bounded keeps a text that came from outside short.
func bounded(text string) string { return text[:min(len(text), 300)] }

// keySet lets go-oidc verify by keys of ours, for one token. It keeps apart a
// signature that is wrong and keys that could not be had.
type keySet struct {
	keys        oidcKeys
	unavailable error
	reason      string
}

func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		s.reason = "the token is no JWT that is signed once with RS256"
		return nil, errors.New(s.reason)
	}
	id := parsed.Signatures[0].Header.KeyID
	keys, err := s.keys.find(ctx, id)
	if err != nil {
		s.unavailable = err
		return nil, err
	}
	for _, key := range keys {
		if payload, err := parsed.Verify(key); err == nil {
			return payload, nil
		}
	}
	s.reason = "the token is not signed with a key of the issuer"
	return nil, errors.New(s.reason)
}
