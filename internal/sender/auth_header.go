package sender

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

const authorization = "Authorization"

// headerCheck wants a header whose whole value is the secret.
type headerCheck struct {
	secret *secret.Set
	header string // canonical
}

func newHeader(s *secret.Set, name string) headerCheck {
	return headerCheck{s, http.CanonicalHeaderKey(name)}
}

func (headerCheck) early() bool { return true }

func (c headerCheck) verify(_ context.Context, r *Request) (string, error) {
	given, ok := first(r.Header, c.header)
	if !ok {
		return "", withheld("header", "there is no header "+c.header)
	}
	secrets := c.secret.Values()
	if number := which(given, secrets); number > 0 {
		return passed("header "+c.header, number, len(secrets)), nil
	}
	return "", withheld("header", "the value of header "+c.header+" is not the secret")
}

func (c headerCheck) credential(source delivery.Source, name string) bool {
	return source == delivery.Header && http.CanonicalHeaderKey(name) == c.header
}

func (c headerCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err == nil {
		o.Header.Set(c.header, text)
	}
	return err
}

func (c headerCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	given, ok := first(r.Header, c.header)
	if which(given, secrets) > 0 {
		return nil
	}
	if hint := nearly(given, secrets, "the value of header "+c.header); ok && hint != "" {
		return []string{hint}
	}
	return elsewhere(r, secrets, "in header "+c.header)
}

func (c headerCheck) String() string { return "a secret in header " + c.header }

// queryCheck wants a query parameter whose value is the secret.
type queryCheck struct {
	secret *secret.Set
	name   string
}

func (queryCheck) early() bool { return true }

func (c queryCheck) verify(_ context.Context, r *Request) (string, error) {
	given, ok := firstQuery(r.RawQuery, c.name)
	if !ok {
		return "", withheld("query", "the URL has no parameter "+c.name)
	}
	secrets := c.secret.Values()
	if number := which(given, secrets); number > 0 {
		return passed("query parameter "+c.name, number, len(secrets)), nil
	}
	return "", withheld("query", "the value of the URL's parameter "+c.name+" is not the secret")
}

func (c queryCheck) credential(source delivery.Source, name string) bool {
	return source == delivery.Query && name == c.name
}

func (c queryCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err != nil {
		return err
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return err
	}
	query := u.Query()
	query.Set(c.name, text)
	u.RawQuery = query.Encode()
	o.URL = u.String()
	return nil
}

func (c queryCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	given, ok := firstQuery(r.RawQuery, c.name)
	if which(given, secrets) > 0 {
		return nil
	}
	if hint := nearly(given, secrets, "the value of the URL's parameter "+c.name); ok && hint != "" {
		return []string{hint}
	}
	return elsewhere(r, secrets, "in the URL's parameter "+c.name)
}

func (c queryCheck) String() string { return "a secret in the URL's parameter " + c.name }

// bearerCheck wants Authorization: Bearer and the secret (RFC 6750, section 2.1;
// the scheme's case does not count).
type bearerCheck struct{ secret *secret.Set }

func newBearer(s *secret.Set) (check, error) {
	for _, one := range s.Values() {
		if _, ok := scheme(one.Reveal(), "Bearer"); ok {
			return nil, &ConfigError{"secret", bearerWord}
		}
	}
	return bearerCheck{s}, nil
}

const bearerWord = "the secret that is set begins with the word Bearer, which names the scheme and is no part of it: take the word out of the secret"

func (bearerCheck) early() bool { return true }

func (c bearerCheck) verify(_ context.Context, r *Request) (string, error) {
	given, ok := first(r.Header, authorization)
	if !ok {
		return "", withheld("bearer", "there is no header Authorization")
	}
	token, ok := scheme(given, "Bearer")
	if !ok {
		return "", withheld("bearer", "the header Authorization is not of scheme Bearer")
	}
	secrets := c.secret.Values()
	if number := which(token, secrets); number > 0 {
		return passed("bearer", number, len(secrets)), nil
	}
	return "", withheld("bearer", "the Bearer token is not the secret")
}

func (bearerCheck) credential(source delivery.Source, name string) bool {
	return source == delivery.Header && http.CanonicalHeaderKey(name) == authorization
}

func (c bearerCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err == nil {
		o.Header.Set(authorization, "Bearer "+text)
	}
	return err
}

func (c bearerCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	given, _ := first(r.Header, authorization)
	token, ok := scheme(given, "Bearer")
	if ok && which(token, secrets) > 0 {
		return nil
	}
	for _, one := range secrets {
		if bare, worded := scheme(one.Reveal(), "Bearer"); ok && worded && same(token, bare) {
			return []string{bearerWord}
		}
	}
	if hint := nearly(token, secrets, "the Bearer token"); ok && hint != "" {
		return []string{hint}
	}
	return elsewhere(r, secrets, "as Authorization: Bearer")
}

func (bearerCheck) String() string { return "a Bearer token in header Authorization" }

// scheme is what follows the name of a scheme, whose case does not count, and
// the blanks after it.
func scheme(value, name string) (string, bool) {
	if len(value) <= len(name) || value[len(name)] != ' ' || !strings.EqualFold(value[:len(name)], name) {
		return "", false
	}
	return strings.TrimLeft(value[len(name):], " "), true
}

// basicCheck wants HTTP's Basic authentication (RFC 7617): clients make it of
// the user part of a URL.
type basicCheck struct {
	secret *secret.Set
	user   string
}

func (basicCheck) early() bool { return true }

func (c basicCheck) verify(_ context.Context, r *Request) (string, error) {
	given, ok := first(r.Header, authorization)
	if !ok {
		return "", withheld("basic", "there is no header Authorization")
	}
	encoded, ok := scheme(given, "Basic")
	if !ok {
		return "", withheld("basic", "the header Authorization is not of scheme Basic")
	}
	user, password, ok := userAndPassword(encoded)
	if !ok {
		return "", withheld("basic", "what follows Basic in the header Authorization is not base64 of user:password")
	}
	// Both are compared whatever comes of the first.
	known := same(user, c.user) || c.user == "" && user == ""
	secrets := c.secret.Values()
	number := which(password, secrets)
	switch {
	case !known:
		return "", withheld("basic", "the user of Basic authentication is another than the hook names")
	case number == 0:
		return "", withheld("basic", "the password of Basic authentication is not the secret")
	}
	return passed("basic", number, len(secrets)), nil
}

// userAndPassword decodes Basic's credentials. The decoder is strict: one text
// alone encodes them.
func userAndPassword(encoded string) (user, password string, ok bool) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

func (basicCheck) credential(source delivery.Source, name string) bool {
	return source == delivery.Header && http.CanonicalHeaderKey(name) == authorization
}

func (c basicCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err == nil {
		o.Header.Set(authorization, "Basic "+base64.StdEncoding.EncodeToString([]byte(c.user+":"+text)))
	}
	return err
}

func (c basicCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	given, _ := first(r.Header, authorization)
	encoded, isBasic := scheme(given, "Basic")
	if !isBasic {
		return elsewhere(r, secrets, "as the password of Basic authentication")
	}
	user, password, ok := userAndPassword(encoded)
	switch hint := nearly(password, secrets, "the password of Basic authentication"); {
	case !ok:
		return nil
	case which(password, secrets) > 0 && user != c.user:
		return []string{"the password is right, but the user is not " + c.user}
	case which(user, secrets) > 0:
		return []string{"the secret is there as the user; it is to be the password, of user " + c.user}
	case hint != "":
		return []string{hint}
	}
	return nil
}

func (c basicCheck) String() string {
	return "Basic authentication, user " + c.user
}
