package sender

import (
	"errors"
	"slices"

	"github.com/pawlhq/pawl/internal/secret"
)

// assembly makes the checks of a Gate out of what a hook says.
type assembly struct {
	config Config
	parts  []part
	errs   []error
}

// sorted gives the parts as they are made: those that need no body first, else
// in the order in which they were added.
func (a *assembly) sorted() []part {
	slices.SortStableFunc(a.parts, func(x, y part) int {
		switch early := x.early(); {
		case early == y.early():
			return 0
		case early:
			return -1
		}
		return 1
	})
	return a.parts
}

func (a *assembly) fail(key, text string) {
	a.errs = append(a.errs, &ConfigError{key, text})
}

// add puts in a check, or says why it cannot be made. What is wrong with one is
// said of key, unless the error names a key itself.
func (a *assembly) add(key string, secret bool, c check, err error) {
	var named *ConfigError
	switch {
	case errors.As(err, &named):
		a.errs = append(a.errs, named)
	case err != nil:
		a.fail(key, err.Error())
	default:
		a.parts = append(a.parts, part{c, secret})
	}
}

// assemble makes all checks.
func (a *assembly) assemble() {
	auth := a.config.Auth
	if auth == nil {
		a.addOwn(nil)
		return
	}
	if empty(auth) {
		a.fail("auth", "there is nothing in it: say what is checked, as in auth: {bearer: {}}, or auth: none")
		return
	}
	if len(auth.Addresses) > 0 {
		a.add("auth.addresses", false, addressCheck{auth.Addresses}, nil)
	}
	before := len(a.parts) + len(a.errs)
	a.addKeyed(auth)
	if len(a.parts)+len(a.errs) == before && a.config.Secret != nil {
		text := "nothing in auth uses it: remove it, or name in auth what does"
		if a.config.Sender.signs {
			text = "nothing in auth uses it: add hmac: {} for " + a.config.Sender.Title + "'s own signature"
		}
		a.fail("secret", text)
	}
	a.addOpen(auth)
}

// empty reports whether nothing is set in auth.
func empty(auth *Auth) bool {
	return !auth.Path && auth.Header == nil && auth.Query == nil && auth.Basic == nil && !auth.Bearer &&
		auth.HMAC == nil && auth.Ed25519 == nil && auth.OIDC == nil && auth.SNS == nil &&
		auth.Certificate == nil && len(auth.Addresses) == 0
}

// addOwn puts in the sender's own way, with what the hook gives of hmac.
func (a *assembly) addOwn(hmac *HMAC) {
	s := a.config.Sender
	if s.own == nil {
		a.fail("auth", s.why)
		return
	}
	if a.config.Secret == nil {
		a.fail("secret", s.Title+" authenticates its deliveries with a secret: say where it is, as in secret: {file: /run/secrets/"+s.fileName()+"}")
		return
	}
	key := "secret"
	if hmac != nil {
		key = "auth.hmac"
	}
	c, err := s.own(own{secret: a.config.Secret, hmac: hmac, deliveryID: a.config.DeliveryID, client: a.config.Client})
	a.add(key, true, c, err)
}

// addKeyed puts in the checks that ask for the hook's secret.
func (a *assembly) addKeyed(auth *Auth) {
	s := a.config.Secret
	keyed := func(key string, wanted bool, make func(*secret.Set) (check, error)) {
		if !wanted {
			return
		}
		if s == nil {
			a.fail("secret", key+" asks for one: say where it is, as in secret: {file: /run/secrets/"+a.config.Sender.fileName()+"}")
			return
		}
		c, err := make(s)
		a.add(key, true, c, err)
	}
	keyed("auth.path", auth.Path, func(s *secret.Set) (check, error) { return pathCheck{s}, nil })
	keyed("auth.header", auth.Header != nil, func(s *secret.Set) (check, error) {
		if auth.Header.Name == "" {
			return nil, &ConfigError{"auth.header.name", "name the header that holds the secret"}
		}
		return newHeader(s, auth.Header.Name), nil
	})
	keyed("auth.query", auth.Query != nil, func(s *secret.Set) (check, error) {
		if auth.Query.Name == "" {
			return nil, &ConfigError{"auth.query.name", "name the parameter that holds the secret"}
		}
		return queryCheck{s, auth.Query.Name}, nil
	})
	keyed("auth.basic", auth.Basic != nil, func(s *secret.Set) (check, error) { return basicCheck{s, auth.Basic.User}, nil })
	keyed("auth.bearer", auth.Bearer, func(s *secret.Set) (check, error) { return newBearer(s) })
	if auth.HMAC != nil && a.config.Sender.signs {
		if key := auth.HMAC.further(); key != "" {
			a.fail("auth.hmac."+key, a.config.Sender.Title+" signs in its own way; only algorithms and tolerance can be set of it. With sender: generic all keys can")
			return
		}
		a.addOwn(auth.HMAC)
		return
	}
	keyed("auth.hmac", auth.HMAC != nil, func(s *secret.Set) (check, error) {
		return newHMAC(s, auth.HMAC, a.config.DeliveryID)
	})
}

// addOpen puts in the checks that ask for no secret.
func (a *assembly) addOpen(auth *Auth) {
	if auth.Certificate != nil {
		c, err := newCertificate(auth.Certificate)
		a.add("auth.client-certificate", false, c, err)
	}
	if auth.Ed25519 != nil {
		c, err := newEd25519(auth.Ed25519)
		a.add("auth.ed25519.public-keys", false, c, err)
	}
	if auth.OIDC != nil {
		c, err := newOIDC(auth.OIDC, a.config.Client)
		a.add("auth.oidc", false, c, err)
	}
	if auth.SNS != nil {
		c, err := newSNS(auth.SNS, a.config.Client)
		a.add("auth.sns", false, c, err)
	}
}

// further names the first key that is set besides algorithms and tolerance, as
// hook files spell it; "" where none is.
func (h *HMAC) further() string {
	for _, key := range []struct{ name, value string }{
		{"header", h.Header},
		{"encoding", h.Encoding},
		{"prefix", h.Prefix},
		{"signed", h.Signed},
		{"timestamp-header", h.TimestampHeader},
		{"timestamp-unit", h.TimestampUnit},
	} {
		if key.value != "" {
			return key.name
		}
	}
	return ""
}
