package explain

import (
	"fmt"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// masks knows what of a request is not to be shown.
type masks struct {
	hook    *hook.Hook
	secrets []string // what the request holds of it
}

// leastSecret is how long a credential must be to be looked for in texts: of a
// shorter one the texts would be full.
const leastSecret = 8

// masksOf gathers the credentials of a request.
func masksOf(h *hook.Hook, r *sender.Request) masks {
	m := masks{hook: h}
	note := func(text string) {
		if len(text) >= leastSecret && text != run.Withheld {
			m.secrets = append(m.secrets, text)
		}
	}
	note(r.Rest)
	for name, values := range r.Header {
		if !h.Credential(delivery.Header, name) {
			continue
		}
		for _, value := range values {
			note(value)
			if _, token, ok := strings.Cut(value, " "); ok {
				note(token)
			}
		}
	}
	for pair := range strings.SplitSeq(r.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); h.Credential(delivery.Query, name) {
			note(value)
		}
	}
	return m
}

// hides reports whether a value is not to be shown.
func (m masks) hides(d *delivery.Delivery, ref delivery.Ref) bool {
	if ref.Source == delivery.Payload {
		return delivery.CredentialName(ref.Name[strings.LastIndexByte(ref.Name, '.')+1:]) == delivery.IsCredential
	}
	return m.hook.Tells(d, ref)
}

// text takes the credentials of the request out of a text.
func (m masks) text(text string) string {
	for _, secret := range m.secrets {
		text = strings.ReplaceAll(text, secret, rule.Masked)
	}
	return text
}

// cut gives the beginning of a long text, and how long it is.
func cut(text string) string { return rule.Cut(text, rule.MaxShown) }

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
