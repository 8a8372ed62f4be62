package hook

import (
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/rule"
)

// Credential reports whether the value of a header or query parameter lets its
// bearer in: by its name, because the Gate asks for it, or, where the name may
// mean either, because the trigger rule compares it.
func (h *Hook) Credential(source delivery.Source, name string) bool {
	if source == delivery.QueryAlias {
		source = delivery.Query
	}
	if source != delivery.Header && source != delivery.Query {
		return false
	}
	named := delivery.CredentialName(name)
	return named == delivery.IsCredential ||
		h.Gate != nil && h.Gate.Credential(source, name) ||
		named == delivery.MayBeCredential && h.Rule != nil && rule.Compares(h.Rule, source, name)
}

// Tells reports whether a value of a delivery is, holds, or is made of one that
// lets its bearer in.
func (h *Hook) Tells(d *delivery.Delivery, ref delivery.Ref) bool {
	sees := func(delivery.Source, string) bool { return true }
	switch source, _ := delivery.ParseSource(string(ref.Source)); source {
	case delivery.Header, delivery.Query:
		head, _, _ := strings.Cut(ref.Name, ".")
		return h.Credential(source, head) || h.Credential(source, ref.Name)
	case delivery.EntireHeaders:
		return h.tellsHeader(d, sees)
	case delivery.EntireQuery:
		return h.tellsQuery(d, sees)
	case delivery.CEL:
		set, _ := h.Payload.Expressions.(expression.Set)
		sees = expression.Set{ref.Name: set[ref.Name]}.Sees
		return set[ref.Name] != nil && (h.tellsHeader(d, sees) || h.tellsQuery(d, sees))
	}
	return false
}

func (h *Hook) tellsHeader(d *delivery.Delivery, sees func(delivery.Source, string) bool) bool {
	for name := range d.Header {
		if h.Credential(delivery.Header, name) && sees(delivery.Header, name) {
			return true
		}
	}
	return false
}

func (h *Hook) tellsQuery(d *delivery.Delivery, sees func(delivery.Source, string) bool) bool {
	for name := range d.QueryTexts() {
		if h.Credential(delivery.Query, name) && sees(delivery.Query, name) {
			return true
		}
	}
	return false
}
