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
// caller writes them, and neither is one of headers that everybody knows; an or
// of which one branch has no guard is open through that. The list is for people
// to read; it does not say how the checks are joined.
func Guards(r Rule) []Guard {
	if r == nil {
		return nil
	}
	return r.guards(nil)
}

// Vouches reports whether what a rule asks about callers holds for a request, be
// the rest of it as it may. It does where the rule asks nothing of the kind.
func Vouches(r Rule, request *Request) bool {
	if r == nil {
		return true
	}
	asked, ok := vouches(r, request)
	return ok || !asked
}

// vouches asks the guards of a rule.
func vouches(r Rule, request *Request) (asked, ok bool) {
	switch r := r.(type) {
	case And:
		ok = true
		for _, part := range r {
			if guard, holds := vouches(part, request); guard {
				asked, ok = true, ok && holds
			}
		}
		return asked, ok
	case Or:
		if len(Guards(r)) == 0 {
			return false, false
		}
		for _, part := range r {
			if _, holds := vouches(part, request); holds {
				return true, true
			}
		}
		return true, false
	}
	if len(Guards(r)) == 0 {
		return false, false
	}
	ok, err := r.Evaluate(request)
	return true, ok && err == nil
}

func (and And) guards(list []Guard) []Guard {
	for _, rule := range and {
		list = rule.guards(list)
	}
	return list
}

func (or Or) guards(list []Guard) []Guard {
	if len(or) == 0 {
		return Never{}.guards(list)
	}
	found := list
	for _, rule := range or {
		if _, never := rule.(*unknown); never {
			continue
		}
		before := len(found)
		if found = rule.guards(found); len(found) == before {
			return list
		}
	}
	return found
}

func (not Not) guards(list []Guard) []Guard { return not.Rule.guards(list) }

func (Never) guards(list []Guard) []Guard { return append(list, "nobody may") }

func (v *value) guards(list []Guard) []Guard { return append(list, compared(v.parameter)...) }

func (x *regex) guards(list []Guard) []Guard { return append(list, compared(x.parameter)...) }

// compared gives the guard that a comparison of a value is, if it is one.
func compared(parameter delivery.Ref) []Guard {
	source, _ := delivery.ParseSource(string(parameter.Source))
	switch {
	case source == delivery.Header && IsPlainHeader(parameter.Name):
		return nil
	case source == delivery.Header, source == delivery.Query:
		return []Guard{Guard(fmt.Sprintf("%s %s", parameter.Source, parameter.Name))}
	case source == delivery.EntireHeaders, source == delivery.EntireQuery:
		return []Guard{Guard(parameter.Source)}
	case source == delivery.Request && strings.EqualFold(parameter.Name, "remote-addr"):
		return []Guard{"caller's address"}
	case source == delivery.Payload && secretive(parameter):
		return []Guard{Guard(fmt.Sprintf("%s %s", parameter.Source, parameter.Name))} // Slack's and Mattermost's token
	}
	return nil
}

// IsPlainHeader reports whether everybody knows what a header holds, so that to
// compare it keeps nobody out.
func IsPlainHeader(name string) bool {
	switch strings.ToLower(name) {
	case "x-github-event", "x-gitlab-event", "x-gitea-event", "x-gitea-event-type", "x-forgejo-event", "x-gogs-event", "x-event-key",
		"x-github-hook-installation-target-type", "x-nexus-webhook-id", "x-amz-sns-message-type",
		"content-type", "content-length", "user-agent", "accept", "accept-encoding", "host":
		return true
	}
	return false
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
