package sender

import (
	"context"
	"net/url"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

// pathCheck wants a secret behind the hook's path in the URL, of one segment or
// several: for senders that can keep nothing but a URL.
type pathCheck struct{ secret *secret.Set }

func (pathCheck) early() bool { return true }

func (c pathCheck) verify(_ context.Context, r *Request) (string, error) {
	secrets := c.secret.Values()
	if number := which(r.Rest, secrets); number > 0 {
		return passed("path", number, len(secrets)), nil
	}
	reason := "what follows the hook's path in the URL is not the secret"
	if r.Rest == "" {
		reason = "no secret follows the hook's path in the URL"
	}
	return "", &RefusedError{Check: "path", Reason: reason, Path: true, Withheld: true}
}

// The path is no header and no query parameter; who keeps a delivery asks
// UsesPath about it.
func (pathCheck) credential(delivery.Source, string) bool { return false }

func (c pathCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err != nil {
		return err
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return err
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + text
	u.RawPath = ""
	o.URL = u.String()
	return nil
}

func (c pathCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	if which(r.Rest, secrets) > 0 {
		return nil
	}
	if hint := nearly(r.Rest, secrets, "what follows the hook's path"); hint != "" {
		return []string{hint}
	}
	return elsewhere(r, secrets, "behind the hook's path")
}

func (pathCheck) String() string { return "a secret behind the hook's path" }
