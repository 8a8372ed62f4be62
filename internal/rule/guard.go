package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// Guard is one thing that a rule checks about who calls, in words: a signature,
// an address, a token that is compared.
type Guard string

// Guards lists what a rule checks about callers. It is empty when anyone may
// trigger the hook: a comparison of payload values alone is no guard, for the
// caller writes them. The list is for people to read; it does not say how the
// checks are joined.
func Guards(r Rule) []Guard {
	if r == nil {
		return nil
	}
	return r.guards(nil)
}

func (and And) guards(list []Guard) []Guard {
	for _, rule := range and {
		list = rule.guards(list)
	}
	return list
}

func (or Or) guards(list []Guard) []Guard {
	for _, rule := range or {
		list = rule.guards(list)
	}
	return list
}

func (not Not) guards(list []Guard) []Guard { return not.Rule.guards(list) }

func (Never) guards(list []Guard) []Guard { return append(list, "nobody may") }

func (v *value) guards(list []Guard) []Guard { return append(list, compared(v.parameter)...) }

func (x *regex) guards(list []Guard) []Guard { return append(list, compared(x.parameter)...) }

// compared gives the guard that a comparison of a value is, if it is one.
func compared(parameter delivery.Ref) []Guard {
	switch parameter.Source {
	case delivery.Header, delivery.Query, delivery.QueryAlias:
		return []Guard{Guard(fmt.Sprintf("%s %s", parameter.Source, parameter.Name))}
	case delivery.Request:
		if strings.EqualFold(parameter.Name, "remote-addr") {
			return []Guard{"caller's address"}
		}
	}
	return nil
}

// Compares reports whether a rule compares the value of a header or of a query
// parameter, so that to know it may be what lets a caller in.
func Compares(r Rule, source delivery.Source, name string) bool {
	some := func(rules []Rule) bool {
		return slices.ContainsFunc(rules, func(part Rule) bool { return Compares(part, source, name) })
	}
	switch r := r.(type) {
	case And:
		return some(r)
	case Or:
		return some(r)
	case Not:
		return Compares(r.Rule, source, name)
	case *value:
		return r.parameter.Carries(source, name)
	case *regex:
		return r.parameter.Carries(source, name)
	}
	return false
}

func (*unknown) guards(list []Guard) []Guard { return list }

func (a *addresses) guards(list []Guard) []Guard {
	return append(list, Guard("address "+a.text))
}

func (s *signature) guards(list []Guard) []Guard {
	return append(list, Guard(s.algorithm+" signature"))
}

func (*scalr) guards(list []Guard) []Guard { return append(list, "Scalr signature") }
